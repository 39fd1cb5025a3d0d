/** Conditions that lie in what a program hands over: large arguments, large results, input that is silent, items that take long. */
import { CancelledError, Task, TaskTimeoutError } from "@futures/core"
import type { Executor } from "@futures/core"
import assert from "node:assert/strict"
import { Readable } from "node:stream"
import { setTimeout as sleep } from "node:timers/promises"
import { collect, failsWith, rejection } from "../expect.ts"
import type { Capability } from "../Subject.ts"
import type { Trial } from "../Trial.ts"
import type { OperationName } from "./operations.ts"
import {
  cleanUpLarge,
  failLarge,
  hold,
  large,
  LARGE_BYTES,
  look,
  lookAt,
  makeLarge,
  parse,
  parts,
  yieldLarge
} from "./tasks.ts"

/** A cell: what is done, what comes of it, and how that is found out. */
export interface ValueCell {
  readonly row: string
  readonly operation: OperationName
  /** What comes of it, as the end of a sentence. */
  readonly outcome: string
  readonly needs: ReadonlyArray<Capability>
  /** Whether it is left to the deep run. */
  readonly deep: boolean
  readonly check: (trial: Trial) => Promise<void>
}

/** A run time-out (ms) that large values must not use up on their way. */
const TIMEOUT_MS = 150
/** Large enough to be on their way for longer than that where they are written and read (bytes). */
const HUGE_BYTES = 32 * 2 ** 20
/** What a map may hold of large values (bytes): twice what it reads ahead by default, since a chunk that is on its way counts as well. */
const HELD_BYTES = 128 * 2 ** 20
/** Enough large items to tell a bound from none. */
const ITEMS = 80
/** A stream is never further ahead of its reader. */
const STREAM_AHEAD = 16

const open = (trial: Trial): Executor => trial.open({ maxWorkers: 2, grace: 400 })

const seeds = (count: number): Array<number> => Array.from({ length: count }, (_, seed) => seed)

/** Maps over large arguments, and watches how many bytes are pulled and not yet yielded. */
const mapLarge = async (
  trial: Trial,
  map: (executor: Executor, items: Iterable<Uint8Array>) => AsyncIterable<unknown>
) => {
  let [ahead, most] = [0, 0]
  const items = function*() {
    for (const seed of seeds(ITEMS)) {
      most = Math.max(most, ++ahead)
      yield large(seed)
    }
  }
  const seen: Array<unknown> = []
  for await (const value of map(open(trial), items())) {
    ahead--
    seen.push(value)
  }
  assert.ok(most * LARGE_BYTES <= HELD_BYTES, `${most} items of ${LARGE_BYTES} bytes were read ahead`)
  return seen
}

const sights = seeds(ITEMS).map((seed) => lookAt(large(seed)))

/** Maps to large results, which are taken slowly. */
const takeLarge = async (
  trial: Trial,
  map: (executor: Executor, items: Iterable<number>) => AsyncIterable<unknown>
) => {
  let [ahead, most] = [0, 0]
  const items = function*() {
    for (const seed of seeds(ITEMS)) {
      ahead++
      yield seed
    }
  }
  const seen: Array<unknown> = []
  for await (const value of map(open(trial), items())) {
    // The reader's work; what arrives meanwhile is held.
    if (seen.length === 0) await sleep(500)
    most = Math.max(most, ahead--)
    seen.push(value)
  }
  assert.ok(most * LARGE_BYTES <= HELD_BYTES, `${most} results of ${LARGE_BYTES} bytes were held`)
  return seen
}

/** Inputs that give two items and are silent from then on. */
const silentInputs = (): ReadonlyArray<AsyncIterable<string>> => {
  const texts = ["1", "not json"]
  const silence = new Promise<never>(() => {})
  const readable = new Readable({ objectMode: true, read: () => {} })
  const left = [...texts]
  for (const text of texts) readable.push(text)
  return [
    (async function*() {
      yield* texts
      await silence
    })(),
    readable as AsyncIterable<string>,
    new ReadableStream<string>({
      start: (controller) => {
        for (const text of texts) controller.enqueue(text)
      }
    }),
    {
      // Nothing can close it.
      [Symbol.asyncIterator]: () => ({
        next: () => left.length === 0 ? silence : Promise.resolve({ done: false as const, value: left.shift()! })
      })
    }
  ]
}

/** An ordered map whose first item is held until all others that may be pulled have run. */
const slowFirst = async (trial: Trial, settled: boolean): Promise<void> => {
  const signals = await trial.signals()
  const [first, last] = [signals.word(), signals.word()]
  signals.release(last)
  const items = seeds(100).map((index) => ({
    index,
    port: signals.port,
    word: index === 0 ? first : index === 99 ? last : undefined
  }))
  const options = { bufferSize: 100, chunkSize: 1 }
  const executor = open(trial)
  const all = collect<unknown>(settled ? executor.mapSettled(hold, items, options) : executor.map(hold, items, options))
  await Promise.all([signals.heard(first), signals.heard(last)])
  signals.release(first)
  assert.deepEqual((await all).map((each) => settled ? (each as { value: unknown }).value : each), seeds(100))
}

/** A map of many quick items, and of two at the end that wait for each other. */
const slowTail = async (trial: Trial, settled: boolean): Promise<void> => {
  const signals = await trial.signals()
  const words = [signals.word(), signals.word()]
  const count = 4_000
  const items = seeds(count).map((index) => ({ index, port: signals.port, word: words[index - count + 2] }))
  const executor = open(trial)
  const all = collect<unknown>(settled ? executor.mapSettled(hold, items) : executor.map(hold, items))
  // On one worker the second would wait for the first to be released.
  await Promise.all(words.map((word) => signals.heard(word)))
  for (const word of words) signals.release(word)
  assert.deepEqual((await all).map((each) => settled ? (each as { value: unknown }).value : each), seeds(count))
}

const values = (outcomes: ReadonlyArray<unknown>): ReadonlyArray<unknown> =>
  outcomes.map((outcome) => (outcome as PromiseFulfilledResult<unknown>).value)

type Check = ValueCell["check"]

const row = (
  name: string,
  needs: ReadonlyArray<Capability>,
  common: ReadonlyArray<OperationName>,
  cells: Partial<Record<OperationName, readonly [outcome: string, check: Check]>>
): ReadonlyArray<ValueCell> =>
  Object.entries(cells).map(([operation, [outcome, check]]): ValueCell => ({
    row: name,
    operation: operation as OperationName,
    outcome,
    needs,
    deep: !common.includes(operation as OperationName),
    check
  }))

/** All rows about values. */
export const valueCells: ReadonlyArray<ValueCell> = [
  ...row("Arguments are large", [], ["map", "timeout"], {
    submit: ["each arrives whole", async (trial) => {
      const executor = open(trial)
      const futures = seeds(6).map((seed) => executor.submit(look, large(seed)))
      assert.deepEqual(await Promise.all(futures.map((future) => future.result())), sights.slice(0, 6))
    }],
    map: ["no more is read ahead than memory holds", async (trial) => {
      assert.deepEqual(await mapLarge(trial, (executor, items) => executor.map(look, items)), sights)
    }],
    mapSettled: ["no more is read ahead than memory holds", async (trial) => {
      assert.deepEqual(values(await mapLarge(trial, (executor, items) => executor.mapSettled(look, items))), sights)
    }],
    stream: ["the generator has all of it", async (trial) => {
      const bytes = large(3)
      assert.deepEqual(await collect(open(trial).stream(parts, bytes)), [...parts(bytes)])
    }],
    interrupt: ["the task still has its argument when it cleans up", async (trial) => {
      const notebook = trial.notebook()
      const future = open(trial).submit(cleanUpLarge, notebook.path, large(5))
      for await (const _ of future.progress()) break
      assert.equal(await future.interrupt(), true)
      await failsWith(future.result(), CancelledError, { reason: "interrupt" })
      assert.deepEqual(notebook.lines().map((line) => line.slice(line.indexOf(" ") + 1)), [lookAt(large(5))])
    }],
    timeout: ["their way to the worker is not run time", async (trial) => {
      const bytes = large(7, HUGE_BYTES)
      assert.equal(await open(trial).run(Task.with(look, { timeout: TIMEOUT_MS }), bytes), lookAt(bytes))
    }],
    retry: ["each attempt has all of it", async (trial) => {
      const notebook = trial.notebook()
      const sight = await open(trial).run(Task.with(failLarge, { retry: 1 }), notebook.path, large(9))
      assert.equal(sight, lookAt(large(9)))
      assert.deepEqual(notebook.lines().map((line) => line.slice(line.indexOf(" ") + 1)), [sight, sight])
    }]
  }),
  ...row("Results are large and taken slowly", [], ["map"], {
    map: ["no more of them wait than memory holds", async (trial) => {
      const taken = await takeLarge(trial, async function*(executor, items) {
        for await (const bytes of executor.map(makeLarge, items)) yield lookAt(bytes)
      })
      assert.deepEqual(taken, sights)
    }],
    mapSettled: ["no more of them wait than memory holds", async (trial) => {
      const taken = await takeLarge(trial, async function*(executor, items) {
        for await (const each of executor.mapSettled(makeLarge, items)) {
          yield each.status === "fulfilled" ? lookAt(each.value) : each.reason
        }
      })
      assert.deepEqual(taken, sights)
    }],
    stream: ["the generator waits for its reader", async (trial) => {
      const notebook = trial.notebook()
      const seen: Array<string> = []
      for await (const bytes of open(trial).stream(yieldLarge, notebook.path, ITEMS)) {
        seen.push(lookAt(bytes))
        const made = notebook.lines().length
        assert.ok(made <= seen.length + STREAM_AHEAD, `${made} were made when ${seen.length} were taken`)
      }
      assert.deepEqual(seen, sights)
    }],
    timeout: ["their way from the worker is not run time", async (trial) => {
      const patient = Task.with(makeLarge, { timeout: TIMEOUT_MS })
      const executor = open(trial)
      const futures = seeds(8).map((seed) => executor.submit(patient, seed))
      for (const [seed, future] of futures.entries()) assert.equal(lookAt(await future.result()), sights[seed])
    }]
  }),
  ...row("The input is silent", [], ["map", "timeout"], {
    map: ["the failure of an item arrives, and a loop can be left", async (trial) => {
      const executor = open(trial)
      for (const input of silentInputs()) {
        assert.ok(await rejection(collect(executor.map(parse, input))) instanceof SyntaxError)
      }
      for (const input of silentInputs()) {
        for await (const value of executor.map(parse, input)) {
          assert.equal(value, 1)
          break
        }
      }
    }],
    mapSettled: ["the outcomes of its items arrive, and a loop can be left", async (trial) => {
      const executor = open(trial)
      for (const input of silentInputs()) {
        const states: Array<string> = []
        for await (const { status } of executor.mapSettled(parse, input)) if (states.push(status) === 2) break
        assert.deepEqual(states, ["fulfilled", "rejected"])
      }
    }],
    timeout: ["a map with a time-out ends", async (trial) => {
      const executor = open(trial)
      for (const input of silentInputs()) {
        await failsWith(collect(executor.mapSettled(parse, input, { timeout: 100 })), TaskTimeoutError, {
          clock: "wait"
        })
      }
    }]
  }),
  ...row("The first item is slow", ["workers"], ["map"], {
    map: ["all others that may be pulled run meanwhile", (trial) => slowFirst(trial, false)],
    mapSettled: ["all others that may be pulled run meanwhile", (trial) => slowFirst(trial, true)]
  }),
  ...row("The last items are slow", ["workers"], ["map"], {
    map: ["idle workers take their share of them", (trial) => slowTail(trial, false)],
    mapSettled: ["idle workers take their share of them", (trial) => slowTail(trial, true)]
  })
]
