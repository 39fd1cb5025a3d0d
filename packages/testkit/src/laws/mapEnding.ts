/** How a map ends before its input does: with its executor, its signal, its consumer, whether or not the input is silent. */
import { CancelledError, Executor, ExecutorShutdownError, Task, TaskTimeoutError } from "@futures/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { Readable } from "node:stream"
import { collect, collectUntilThrown, failsWith, isError } from "../expect.ts"
import { on } from "../faces.ts"
import { law, laws, property } from "../Law.ts"
import { double, identity } from "../tasks.ts"
import { throwWhenOdd } from "../tasksErrors.ts"
import { holdItem, listenItem, spinItem } from "../tasksSignals.ts"
import type { Trial } from "../Trial.ts"

const never = new Promise<never>(() => {})

/** Inputs that yield what is given, and then nothing more, without ending. */
const silentInputs = {
  "an asynchronous generator": async function*<A>(values: ReadonlyArray<A>) {
    yield* values
    await never
  },
  "a Node stream": <A>(values: ReadonlyArray<A>) => {
    const rest = [...values]
    return new Readable({
      objectMode: true,
      read() {
        if (rest.length > 0) this.push(rest.shift())
      }
    }) as AsyncIterable<A>
  },
  "a web stream": <A>(values: ReadonlyArray<A>) =>
    new ReadableStream<A>({
      start: (controller) => values.forEach((value) => controller.enqueue(value))
    }) as AsyncIterable<A>,
  "an iterator without return": <A>(values: ReadonlyArray<A>): AsyncIterable<A> => {
    const rest = [...values]
    const next = (): Promise<IteratorResult<A>> =>
      rest.length > 0 ? Promise.resolve({ done: false, value: rest.shift()! }) : never
    return { [Symbol.asyncIterator]: () => ({ next }) }
  },
  "an iterator whose return fails": <A>(values: ReadonlyArray<A>): AsyncIterable<A> => {
    const rest = [...values]
    const next = (): Promise<IteratorResult<A>> =>
      rest.length > 0 ? Promise.resolve({ done: false, value: rest.shift()! }) : never
    return { [Symbol.asyncIterator]: () => ({ next, return: () => Promise.reject(new Error("from return")) }) }
  }
}

function* naturals(): Generator<number> {
  for (let n = 0;; n++) yield n
}

/** Ways in which a map ends with what it runs on. */
const endings = {
  shutdown: (executor: Executor) => void executor.shutdown(),
  "shutdown that cancels": (executor: Executor) => void executor.shutdown({ cancelPending: true, timeout: "1 minute" }),
  terminate: (executor: Executor) => void executor.terminate(),
  "the signal of the task": (_: Executor, abort: () => void) => abort(),
  "the signal of the map": (_: Executor, abort: () => void) => abort()
}

const ended = Object.entries(endings)

/** What is mapped in order to be ended in this way. */
const endedBy = (trial: Trial, name: string) => {
  const controller = new AbortController()
  const { signal } = controller
  return {
    executor: trial.open({ maxWorkers: 2 }),
    abort: () => controller.abort(),
    task: name === "the signal of the task" ? Task.with(double, { signal }) : double,
    options: name === "the signal of the map" ? { signal } : {}
  }
}

export const mapEnding = laws("how a map ends", [
  law("While its input is silent, a map yields what is there, throws the error of an item, and can be left", {
    promises: [12]
  }, async (trial) => {
    for (const input of Object.values(silentInputs)) {
      const { items, thrown } = await collectUntilThrown(trial.shared.map(throwWhenOdd, input([2, 4, 1])))
      assert.deepEqual(items, [2, 4])
      isError(thrown, RangeError)
      for await (const n of trial.shared.map(double, input([1]))) {
        assert.equal(n, 2)
        break
      }
      const iterator = trial.shared.mapSettled(double, input([1]))
      assert.equal((await iterator.next()).done, false)
      assert.deepEqual(await iterator.return!(), { done: true, value: undefined })
      const error = new Error("from the body")
      const left = (async () => {
        for await (const _ of trial.shared.map(double, input([1]))) throw error
      })()
      await assert.rejects(left, error)
    }
  }),
  law("While its input is silent, the timeout of a map ends it", { promises: [12, 13] }, async (trial) => {
    for (const input of Object.values(silentInputs)) {
      await failsWith(collect(trial.shared.map(double, input([1]), { timeout: 30 })), TaskTimeoutError, {
        clock: "wait"
      })
    }
  }),
  law("A map ends with its executor or its signal: nothing more is pulled, and mapSettled yields what was", {
    promises: [12, 14]
  }, async (trial) => {
    for (const [name, end] of ended) {
      const { abort, executor, options, task } = endedBy(trial, name)
      let pulled = 0
      const input = function*(): Generator<number> {
        for (;;) yield pulled++
      }
      let atEnd = Infinity
      const indexes: Array<number> = []
      for await (const outcome of executor.mapSettled(task, input(), options)) {
        indexes.push(outcome.index)
        if (outcome.status === "rejected") isError(outcome.reason, CancelledError)
        if (indexes.length !== 20) continue
        atEnd = pulled
        end(executor, abort)
      }
      assert.equal(pulled, atEnd, `${name}: pulled more`)
      assert.deepEqual(indexes, indexes.toSorted((one, other) => one - other))
      // What its own signal cancelled is left out.
      if (name !== "the signal of the map") assert.equal(indexes.length, pulled)
      await executor.shutdown()
    }
  }),
  law("A map ends with its executor or its signal while its input is silent", { promises: [12, 14] }, async (trial) => {
    for (const [name, end] of ended) {
      const { abort, executor, options, task } = endedBy(trial, name)
      const input = silentInputs["an asynchronous generator"]
      const settled = executor.mapSettled(task, input([1]), options)
      const values = executor.map(task, input([1]), options)
      assert.equal((await settled.next()).done, false)
      assert.equal((await values.next()).done, false)
      const next = settled.next()
      const thrown = values.next().then(() => undefined, (error: unknown) => error)
      end(executor, abort)
      assert.equal((await next).done, true)
      const Class = name.includes("signal") ? CancelledError : ExecutorShutdownError
      isError(await thrown, Class as never)
      await executor.shutdown()
    }
  }),
  law("map throws why it ended, behind what was pulled", { promises: [12, 14] }, async (trial) => {
    const executor = trial.open({ maxWorkers: 2 })
    const values: Array<number> = []
    const mapped = (async () => {
      for await (const value of executor.map(double, naturals())) {
        if (values.push(value) === 20) void executor.shutdown()
      }
    })()
    await failsWith(mapped, ExecutorShutdownError)
    assert.deepEqual(values, values.map((_, index) => index * 2))
    const exits = trial.open()
    const taken: Array<unknown> = []
    await on(
      exits,
      Stream.runForEach(Executor.mapExit(double, naturals()), (exit) =>
        Effect.sync(() => {
          assert.ok(Exit.isSuccess(exit))
          if (taken.push(exit) === 20) void exits.shutdown()
        }))
    )
    assert.ok(taken.length >= 20)
  }),
  law("The signal of a map keeps what is done, and stops what runs", { promises: [7, 12] }, async (trial) => {
    const signals = await trial.signals()
    for (const settles of [true, false]) {
      const executor = trial.open({ maxWorkers: 1, concurrency: 2 })
      const controller = new AbortController()
      const { signal } = controller
      const word = signals.word()
      const items = [undefined, undefined, word, ...Array.from({ length: 20 }, signals.word)]
        .map((each, index) => ({ index, port: signals.port, word: each }))
      const options = { signal, chunkSize: 1 }
      const seen: Array<unknown> = []
      const run = async (): Promise<void> => {
        if (settles) {
          for await (const each of executor.mapSettled(holdItem, items, options)) {
            assert.equal(each.status, "fulfilled")
            seen.push(each.index)
          }
        } else for await (const index of executor.map(holdItem, items, options)) seen.push(index)
      }
      const running = run().then(() => undefined, (error: unknown) => error)
      await signals.heard(word)
      controller.abort()
      signals.release(word)
      // What ran when the signal came may have ended all the same.
      for (const each of signals.words()) signals.release(each)
      const thrown = await running
      if (settles) assert.equal(thrown, undefined)
      else isError(thrown, CancelledError, { reason: "signal" })
      assert.deepEqual(seen.slice(0, 2), [0, 1])
      assert.ok(seen.length < items.length)
      await executor.terminate()
    }
  }),
  law("A map whose signal was aborted pulls nothing", { promises: [12] }, async (trial) => {
    let pulled = 0
    const input = function*(): Generator<number> {
      for (;;) yield pulled++
    }
    const options = { signal: AbortSignal.abort() }
    assert.deepEqual(await collect(trial.shared.mapSettled(double, input(), options)), [])
    await failsWith(collect(trial.shared.map(double, input(), options)), CancelledError, { reason: "signal" })
    assert.equal(pulled, 0)
  }),
  law("A signal that is aborted after the last item changes nothing", { promises: [12] }, async (trial) => {
    const controller = new AbortController()
    assert.deepEqual(await collect(trial.shared.map(double, [1, 2], { signal: controller.signal })), [2, 4])
    controller.abort()
    assert.equal(await trial.shared.run(double, 1), 2)
  }),
  law("itemTimeout fails the item that takes too long, and no other, whatever the chunks", {
    promises: [12, 13]
  }, async (trial) => {
    for (const chunkSize of ["auto", 7, 1] as const) {
      const items = Array.from({ length: 21 }, (_, index) => ({ index, listens: index === 10 }))
      const outcomes = await collect(trial.shared.mapSettled(listenItem, items, { chunkSize, itemTimeout: 200 }))
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        items.map(({ listens }) => listens ? "rejected" : "fulfilled")
      )
      isError((outcomes[10] as PromiseRejectedResult).reason, TaskTimeoutError, { clock: "run", after: 200 })
    }
  }),
  law("itemTimeout ends a worker that an item never gives back: that item alone fails, the others run once", {
    promises: [8, 12, 13],
    needs: ["workers"]
  }, async (trial) => {
    const signals = await trial.signals()
    const executor = trial.open({ maxWorkers: 2, grace: 0 })
    const items = Array.from(
      { length: 12 },
      (_, index) => ({ index, port: signals.port, word: signals.word(), spins: index === 5 })
    )
    const outcomes = await collect(executor.mapSettled(spinItem, items, { chunkSize: 12, itemTimeout: 300 }))
    assert.deepEqual(outcomes.map(({ status }) => status), items.map(({ spins }) => spins ? "rejected" : "fulfilled"))
    isError((outcomes[5] as PromiseRejectedResult).reason, TaskTimeoutError, { clock: "run", after: 300 })
    assert.deepEqual(signals.words().toSorted(), items.map(({ word }) => word).toSorted())
  }),
  property(
    "Each outcome of mapSettled has the item as it was pulled, and its position",
    { promises: [12], runs: 30 },
    [
      fc.array(fc.nat(9), { maxLength: 40 }),
      fc.oneof(fc.constant("auto" as const), fc.integer({ min: 1, max: 9 })),
      fc.boolean()
    ],
    async (trial, numbers, chunkSize, ordered) => {
      const items = numbers.map((n) => ({ n }))
      const outcomes = await collect(trial.shared.mapSettled(identity, items, { chunkSize, ordered }))
      const seen = outcomes.toSorted((a, b) => a.index - b.index)
      assert.deepEqual(seen.map(({ index }) => index), items.map((_, index) => index))
      seen.forEach(({ item }, index) => assert.equal(item, items[index]))
      const failed = await collect(trial.shared.mapSettled(throwWhenOdd, numbers, { chunkSize, ordered }))
      for (const each of failed) {
        assert.equal(each.item, numbers[each.index])
        assert.equal(each.status, each.item % 2 === 0 ? "fulfilled" : "rejected")
      }
    }
  ),
  law("A map whose items are all refused lets timers fire", { promises: [12] }, async (trial) => {
    let isTime = false
    setTimeout(() => isTime = true, 1)
    const functions = function*(): Generator<() => void> {
      for (;;) yield () => {}
    }
    for await (const { status } of trial.shared.mapSettled(identity, functions())) {
      assert.equal(status, "rejected")
      if (isTime) break
    }
  })
])
