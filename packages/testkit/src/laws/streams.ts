/** Generator tasks: what they yield arrives in order, no sooner than it is wanted, and they are closed when nobody wants more. */
import { Executor, ExecutorShutdownError, NotPortableError, TaskFailedError, WorkerLostError } from "@futures/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { cloneable } from "../arbitraries.ts"
import { collect, collectUntilThrown, failsWith, isError } from "../expect.ts"
import { failure, on } from "../faces.ts"
import { law, laws, property } from "../Law.ts"
import { assertSame } from "../portrait.ts"
import { add, identity } from "../tasks.ts"
import { Missing } from "../tasksEffect.ts"
import {
  cleanUpSlowly,
  count,
  countLater,
  countThenThrow,
  countThenThrowLater,
  endless,
  endlessLater,
  exitAfter,
  sayThenWait,
  yieldAll,
  yieldFunction
} from "../tasksStreams.ts"
import { numbers, numbersThenDie, numbersThenFail, openStream } from "../tasksStreamsEffect.ts"

/** So many items a worker may be ahead of whoever takes them. */
const WINDOW = 16

const upTo = (end: number): Array<number> => Array.from({ length: end }, (_, index) => index)

const counters = { count, countLater, numbers }

export const streams = laws("streams", [
  property(
    "stream() yields what a generator, an async generator or a Stream yields, in order",
    { promises: [], runs: 25 },
    [fc.constantFrom(...Object.keys(counters) as Array<keyof typeof counters>), fc.nat(60)],
    async (trial, counter, end) => {
      assert.deepEqual(await collect(trial.shared.stream(counters[counter], end)), upTo(end))
      assert.deepEqual(await on(trial.shared, Stream.runCollect(Executor.stream(counters[counter], end))), upTo(end))
    }
  ),
  property(
    "An item of a stream is what structuredClone makes of it",
    { promises: [1], runs: 25 },
    [fc.array(cloneable(), { maxLength: 5 })],
    async (trial, items) => {
      assertSame(await collect(trial.shared.stream(yieldAll, items)), structuredClone(items))
    }
  ),
  law("What a generator throws comes after its items", { promises: [5] }, async (trial) => {
    for (const task of [countThenThrow, countThenThrowLater]) {
      for (const end of [0, 1, 40]) {
        const { items, thrown } = await collectUntilThrown(trial.shared.stream(task, end))
        assert.deepEqual(items, upTo(end))
        isError(thrown, RangeError, { message: `after ${end}` })
        const seen: Array<number> = []
        const program = Stream.runForEach(Executor.stream(task, end), (n) => Effect.sync(() => seen.push(n)))
        const error = isError(await on(trial.shared, failure(program)), TaskFailedError)
        isError(error.cause, RangeError, { message: `after ${end}` })
        assert.deepEqual(seen, upTo(end))
      }
    }
  }),
  law(
    "A typed failure of a Stream is the stream's own on both faces, and a defect is not",
    { promises: [5] },
    async (trial) => {
      const { items, thrown } = await collectUntilThrown(trial.shared.stream(numbersThenFail, 20))
      assert.deepEqual(items, upTo(20))
      isError(thrown, Missing, { id: "the next", tried: ["all"] })
      const caught = Stream.catchTag(
        Executor.stream(numbersThenFail, 3),
        "Missing",
        ({ id }: Missing) => Stream.succeed(id)
      )
      assert.deepEqual(await on(trial.shared, Stream.runCollect(caught)), [...upTo(3), "the next"])
      const defect = await on(trial.shared, failure(Stream.runDrain(Executor.stream(numbersThenDie, 3))))
      isError(isError(defect, TaskFailedError).cause, RangeError, { message: "a defect" })
      isError((await collectUntilThrown(trial.shared.stream(numbersThenDie, 3))).thrown, RangeError, {
        message: "a defect"
      })
    }
  ),
  law("An item that cannot travel ends its stream, after the items before it", { promises: [2] }, async (trial) => {
    const { items, thrown } = await collectUntilThrown(trial.shared.stream(yieldFunction))
    assert.deepEqual(items, [0, 1])
    isError(thrown, NotPortableError, { side: "result" })
    assert.equal(await trial.shared.run(add, 1, 2), 3)
  }),
  law(
    "Leaving a stream early runs the generator's finally, and is over when that is",
    { promises: [7] },
    async (trial) => {
      for (const task of [endless, endlessLater]) {
        const notebook = trial.notebook()
        for await (const n of trial.single.stream(task, notebook.path)) if (n === 5) break
        assert.equal(notebook.lines().at(-1), "finally")
        const again = trial.notebook()
        const items = await on(trial.single, Stream.runCollect(Stream.take(Executor.stream(task, again.path), 3)))
        assert.deepEqual(items, upTo(3))
        assert.equal(again.lines().at(-1), "finally")
      }
      const signals = await trial.signals()
      const word = signals.word()
      for await (const _ of trial.single.stream(cleanUpSlowly, signals.port, word)) break
      assert.deepEqual(signals.words(), [word])
      assert.deepEqual(await collect(trial.single.stream(count, 3)), upTo(3))
    }
  ),
  law("Leaving a stream early runs the finalizers of a Stream", { promises: [7] }, async (trial) => {
    const notebook = trial.notebook()
    for await (const n of trial.single.stream(openStream, notebook.path)) if (n === 5) break
    assert.deepEqual(notebook.lines(), ["finalized"])
    await on(trial.single, Stream.runDrain(Stream.take(Executor.stream(openStream, notebook.path), 2)))
    assert.deepEqual(notebook.lines(), ["finalized", "finalized"])
  }),
  law(
    "Leaving a stream whose generator waits asks it to stop, and waits until it has cleaned up",
    { promises: [7] },
    async (trial) => {
      const signals = await trial.signals()
      const word = signals.word()
      const items = trial.single.stream(sayThenWait, signals.port, word)
      assert.deepEqual(await items.next(), { done: false, value: word })
      await signals.heard(word)
      await items.return!()
      assert.deepEqual(signals.words(), [word, `${word} cleaned up`])
      assert.deepEqual(await items.next(), { done: true, value: undefined })
    }
  ),
  property(
    "A worker is never more than sixteen items ahead of whoever takes them",
    { promises: [12], runs: 6 },
    [fc.constantFrom(endless, endlessLater), fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 4 })],
    async (trial, task, takes) => {
      const notebook = trial.notebook()
      const executor = trial.open({ maxWorkers: 1, concurrency: 2 })
      const items = executor.stream(task, notebook.path)
      let taken = 0
      for (const take of [1, ...takes]) {
        for (let n = 0; n < take; n++) assert.equal((await items.next()).value, taken++)
        // It has the time of other calls on its worker to go further than it may.
        for (let turns = 0; turns < 4; turns++) await executor.run(identity, turns)
        const ahead = notebook.lines().length - taken
        assert.ok(ahead <= WINDOW, `${ahead} items ahead of ${taken}`)
      }
      await items.return!()
    }
  ),
  law("Several streams and calls share an executor", { promises: [5, 11] }, async (trial) => {
    const executor = trial.open({ maxWorkers: 2, concurrency: 2 })
    const [one, other, sum] = await Promise.all([
      collect(executor.stream(count, 100)),
      collect(executor.stream(countLater, 50)),
      executor.run(add, 1, 2)
    ])
    assert.deepEqual([one, other, sum], [upTo(100), upTo(50), 3])
  }),
  law("A worker that exits ends its stream after the items that came, with WorkerLostError", {
    promises: [8],
    needs: ["workers"]
  }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1 })
    const { items, thrown } = await collectUntilThrown(executor.stream(exitAfter, 3))
    assert.deepEqual(items, upTo(3))
    isError(thrown, WorkerLostError, { exitCode: 5 })
    assert.deepEqual(await collect(executor.stream(count, 3)), upTo(3))
  }),
  law("After shutdown() a stream fails with ExecutorShutdownError", { promises: [14] }, async (trial) => {
    const executor = trial.open()
    await executor.shutdown()
    await failsWith(collect(executor.stream(count, 3)), ExecutorShutdownError)
    isError(await on(executor, failure(Stream.runDrain(Executor.stream(count, 3)))), ExecutorShutdownError)
  }),
  law("What is no generator is refused by stream, and a generator by submit", { promises: [] }, async (trial) => {
    const { thrown } = await collectUntilThrown(trial.shared.stream(add as never as typeof count, 1))
    assert.equal((thrown as Error).name, "InvalidStateError")
    const submitted = trial.shared.submit(count as never as typeof add, 1, 2)
    assert.notEqual(await submitted.exception(), undefined)
    assert.equal(await trial.shared.run(add, 1, 2), 3)
  })
])
