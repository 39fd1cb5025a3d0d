/** Many calls of one task, some of which fail: each item has an outcome of its own, whatever the chunks. */
import { ExecutorShutdownError, NotPortableError, Task, TaskTimeoutError, WorkerLostError } from "@futures/core"
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { mapOptions } from "../arbitraries.ts"
import { collect, collectUntilThrown, failsWith, isError } from "../expect.ts"
import { law, laws, property } from "../Law.ts"
import { double, exitWhenNegative, functionWhenOdd, identity } from "../tasks.ts"
import { throwWhenOdd } from "../tasksErrors.ts"
import { holdItem, ignoreAsking, listenItem } from "../tasksSignals.ts"

/** An outcome, in words. */
const inWords = (outcome: PromiseSettledResult<unknown>): string => {
  if (outcome.status === "fulfilled") return String(outcome.value)
  const { reason } = outcome
  return reason instanceof WorkerLostError
    ? `lost with ${reason.exitCode}`
    : `${(reason as Error).name}: ${(reason as Error).message}`
}

function* failing<A>(values: Iterable<A>, error: unknown): Generator<A> {
  yield* values
  throw error
}

async function* failingLater<A>(values: Iterable<A>, error: unknown): AsyncGenerator<A> {
  yield* values
  throw error
}

export const mapFailures = laws("map with failures", [
  property(
    "mapSettled yields each item's own outcome at its position, whatever the chunks",
    { promises: [12], runs: 60 },
    [fc.array(fc.integer({ min: 0, max: 99 }), { maxLength: 40 }), mapOptions()],
    async (trial, numbers, options) => {
      const outcomes = await collect(trial.shared.mapSettled(throwWhenOdd, numbers, options))
      if (options.ordered === false) outcomes.sort((one, other) => one.index - other.index)
      assert.deepEqual(outcomes.map(inWords), numbers.map((n) => n % 2 === 0 ? String(n) : `RangeError: ${n} is odd`))
    }
  ),
  property(
    "map yields what comes before the first failure, throws it at its position, and ends",
    { promises: [12], runs: 60 },
    [
      fc.array(fc.integer({ min: 0, max: 30 }).map((n) => n * 2), { maxLength: 20 }),
      fc.array(fc.nat(99), { maxLength: 20 }),
      mapOptions()
    ],
    async (trial, good, rest, options) => {
      const iterator = trial.shared.map(throwWhenOdd, [...good, 1, ...rest], { ...options, ordered: true })
      const { items, thrown } = await collectUntilThrown(iterator)
      assert.deepEqual(items, good)
      assert.equal(isError(thrown, RangeError).message, "1 is odd")
      assert.equal((await iterator.next()).done, true)
    }
  ),
  law(
    "An item that cannot travel fails alone, at its position, whatever the chunks",
    { promises: [2, 12] },
    async (trial) => {
      for (const chunkSize of [1, 3, "auto"] as const) {
        const items = [0, 1, { callback: () => 1 }, 3, 4, () => 1]
        const outcomes = await collect(trial.shared.mapSettled(identity, items, { chunkSize }))
        assert.deepEqual(outcomes.map(({ status }) => status), [
          "fulfilled",
          "fulfilled",
          "rejected",
          "fulfilled",
          "fulfilled",
          "rejected"
        ])
        isError((outcomes[2] as PromiseRejectedResult).reason, NotPortableError, {
          side: "argument",
          path: "args[0].callback"
        })
        isError((outcomes[5] as PromiseRejectedResult).reason, NotPortableError, { side: "argument", path: "args[0]" })
      }
    }
  ),
  law("A result that cannot travel fails its item alone, whatever the chunks", { promises: [2, 12] }, async (trial) => {
    for (const chunkSize of [1, 3, "auto"] as const) {
      const outcomes = await collect(trial.shared.mapSettled(functionWhenOdd, [0, 1, 2, 3, 4], { chunkSize }))
      assert.deepEqual(outcomes.map(({ status }) => status), [
        "fulfilled",
        "rejected",
        "fulfilled",
        "rejected",
        "fulfilled"
      ])
      isError((outcomes[1] as PromiseRejectedResult).reason, NotPortableError, {
        side: "result",
        path: "result.callback"
      })
    }
  }),
  law("A worker that exits under an item loses that item alone, whatever the chunks", {
    promises: [8, 12],
    needs: ["workers"]
  }, async (trial) => {
    for (const chunkSize of [1, 4]) {
      const outcomes = await collect(trial.shared.mapSettled(exitWhenNegative, [1, -3, 2, 5, 6, -4, 7], { chunkSize }))
      assert.deepEqual(outcomes.map(inWords), ["1", "lost with 3", "2", "5", "6", "lost with 4", "7"])
    }
  }),
  law(
    "A worker that is ended by force inside a chunk loses what had begun: the items behind it run elsewhere, once",
    { promises: [6, 8, 12], needs: ["marks"] },
    async (trial) => {
      const signals = await trial.signals()
      const executor = trial.open({ maxWorkers: 1, concurrency: 2 })
      const stubborn = signals.word()
      const neighbour = executor.submit(ignoreAsking, signals.port, stubborn)
      await signals.heard(stubborn)
      const words = Array.from({ length: 6 }, signals.word)
      const held = words[2]!
      for (const word of words) if (word !== held) signals.release(word)
      const items = words.map((word, index) => ({ index, port: signals.port, word }))
      const outcomes = collect(executor.mapSettled(holdItem, items, { chunkSize: items.length }))
      await signals.heard(held)
      assert.equal(await neighbour.interrupt({ grace: 0 }), true)
      // Those before it had ended, whether or not they were told of yet.
      const [, , lost, ...behind] = (await outcomes).map(inWords)
      assert.match(lost!, /^lost with /)
      assert.deepEqual(behind, ["3", "4", "5"])
      assert.deepEqual(signals.words(), [stubborn, ...words])
    }
  ),
  law("After a failure map cancels the rest, which then never runs", { promises: [12] }, async (trial) => {
    const signals = await trial.signals()
    const words = Array.from({ length: 5 }, signals.word)
    const items = words.map((word, index) => ({ index, port: signals.port, word }))
    // An item without a port fails; the one after it is held, so that those behind it cannot have started.
    const broken = { index: 0, port: -1, word: "broken" }
    const iterator = trial.single.map(holdItem, [broken, ...items], { chunkSize: 1 })
    for (const word of words.slice(1)) signals.release(word)
    await assert.rejects(iterator.next())
    signals.release(words[0]!)
    await trial.single.run(double, 1)
    assert.deepEqual(signals.words().filter((word) => word !== words[0]), [])
  }),
  law(
    "What the input throws comes after the items before it, as it is, and the executor goes on",
    { promises: [12] },
    async (trial) => {
      const error = new RangeError("from the input")
      for (const chunkSize of [1, 2, 4, "auto"] as const) {
        for (const input of [failing, failingLater]) {
          const results = await collectUntilThrown(trial.shared.map(double, input([1, 2, 3], error), { chunkSize }))
          assert.deepEqual(results.items, [2, 4, 6])
          assert.equal(results.thrown, error)
          const settled = await collectUntilThrown(
            trial.shared.mapSettled(throwWhenOdd, input([1, 2, 3], error), { chunkSize })
          )
          assert.deepEqual(settled.items.map(inWords), ["RangeError: 1 is odd", "2", "RangeError: 3 is odd"])
          assert.equal(settled.thrown, error)
        }
      }
      assert.equal(await trial.shared.run(double, 1), 2)
    }
  ),
  law("An input that throws at once, or undefined, is heard of", { promises: [12] }, async (trial) => {
    for (const error of [new Error("at once"), undefined]) {
      const results = await collectUntilThrown(trial.shared.map(double, failing([], error)))
      assert.deepEqual(results, { items: [], thrown: error })
    }
  }),
  law(
    "The timeout of map ends the loop with TaskTimeoutError, and cancels the rest",
    { promises: [12, 13] },
    async (trial) => {
      const signals = await trial.signals()
      const words = [signals.word(), signals.word(), signals.word()]
      const items = words.map((word, index) => ({ index, port: signals.port, word }))
      const iterator = trial.single.map(holdItem, items, { chunkSize: 1, timeout: 40 })
      await failsWith(iterator.next(), TaskTimeoutError, { clock: "wait", after: 40 })
      assert.equal((await iterator.next()).done, true)
      words.forEach(signals.release)
      await trial.single.run(double, 1)
      // The first may have started by then, or not; those behind it cannot have.
      assert.deepEqual(signals.words().filter((word) => word !== words[0]), [])
    }
  ),
  law("The run clock of a task in a map is each item's own", { promises: [12, 13] }, async (trial) => {
    // Its module is loaded now: that counts as running.
    await trial.single.run(listenItem, { index: 0, listens: false })
    const task = Task.with(listenItem, { timeout: 500 })
    const items = [0, 1, 2].map((index) => ({ index, listens: index === 1 }))
    const outcomes = await collect(trial.single.mapSettled(task, items, { chunkSize: 3 }))
    assert.deepEqual(outcomes.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"])
    isError((outcomes[1] as PromiseRejectedResult).reason, TaskTimeoutError, { clock: "run", after: 500 })
  }),
  law(
    "A timeout that a task throws is its item's outcome, and not the map's",
    { promises: [12, 13] },
    async (trial) => {
      const { items, thrown } = await collectUntilThrown(
        trial.shared.map(throwWhenOdd, [2, 1, 4], { timeout: "1 minute" })
      )
      assert.deepEqual(items, [2])
      isError(thrown, RangeError)
    }
  ),
  law("map after shutdown fails with ExecutorShutdownError, and pulls nothing", { promises: [14] }, async (trial) => {
    const executor = trial.open()
    await executor.shutdown()
    let pulled = 0
    const input = function*(): Generator<number> {
      for (;;) yield pulled++
    }
    await failsWith(collect(executor.map(double, input())), ExecutorShutdownError)
    await failsWith(collect(executor.mapSettled(double, input())), ExecutorShutdownError)
    assert.equal(pulled, 0)
  })
])
