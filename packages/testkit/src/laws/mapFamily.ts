/** The relatives of map: several arguments each, progress, Streams as input, outcomes as data on the Effect face. */
import { Executor, InvalidStateError, TaskFailedError } from "@futures/core"
import type { MapProgress } from "@futures/core"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { collect, collectUntilThrown, isError } from "../expect.ts"
import { failure, on } from "../faces.ts"
import { law, laws, property } from "../Law.ts"
import { add, double, pair } from "../tasks.ts"
import { findIn, Missing } from "../tasksEffect.ts"
import { throwWhenOdd } from "../tasksErrors.ts"

export const mapFamily = laws("map family", [
  property(
    "starmap calls the task with each tuple of arguments, and yields as map does, on both faces",
    { promises: [12], runs: 25 },
    [
      fc.array(fc.tuple(fc.integer(), fc.string()), { maxLength: 30 }),
      fc.oneof(fc.constant("auto" as const), fc.integer({ min: 1, max: 8 })),
      fc.boolean()
    ],
    async (trial, tuples, chunkSize, ordered) => {
      const results = await collect(trial.shared.starmap(pair, tuples, { chunkSize, ordered }))
      const streamed = await on(trial.shared, Stream.runCollect(Executor.starmap(pair, tuples, { chunkSize, ordered })))
      const sorted = (list: ReadonlyArray<unknown>): Array<string> =>
        list.map((each) => JSON.stringify(each)).toSorted()
      assert.deepEqual(sorted(results), sorted(tuples))
      assert.deepEqual(sorted(streamed), sorted(tuples))
      if (ordered) assert.deepEqual([results, [...streamed]], [tuples, tuples])
    }
  ),
  law("starmap takes an endless input, and closes it", { promises: [12] }, async (trial) => {
    let closed = false
    const endless = function*(): Generator<[number, number]> {
      try {
        for (let n = 0;; n++) yield [n, 1]
      } finally {
        closed = true
      }
    }
    const sums: Array<number> = []
    for await (const sum of trial.shared.starmap(add, endless(), { bufferSize: 8 })) if (sums.push(sum) === 5) break
    assert.deepEqual([sums, closed], [[1, 2, 3, 4, 5], true])
    closed = false
    const taken = await on(trial.shared, Stream.runCollect(Stream.take(Executor.starmap(add, endless()), 3)))
    assert.deepEqual([[...taken], closed], [[1, 2, 3], true])
  }),
  law(
    "An item of starmap that is no tuple fails, and no other call is harmed",
    { promises: [2, 12] },
    async (trial) => {
      const { items } = await collectUntilThrown(
        trial.shared.starmap(add, [[1, 2], 5 as never, [3, 4]], { chunkSize: 1 })
      )
      assert.ok(items.length <= 1)
      assert.equal(await trial.shared.run(add, 1, 2), 3)
    }
  ),
  property(
    "onProgress tells how many items were pulled, are done and failed, never less than before, and all in the end",
    { promises: [12], runs: 25 },
    [fc.nat(40), fc.oneof(fc.constant("auto" as const), fc.integer({ min: 1, max: 8 })), fc.boolean(), fc.boolean()],
    async (trial, count, chunkSize, ordered, counted) => {
      const told: Array<MapProgress> = []
      const items = Array.from({ length: count }, (_, index) => index)
      const onProgress = (progress: MapProgress): void => void told.push({ ...progress })
      const input = counted ? items : items.values()
      for await (const _ of trial.shared.mapSettled(throwWhenOdd, input, { chunkSize, ordered, onProgress }));
      let before: MapProgress = { pulled: 0, done: 0, failed: 0, total: undefined }
      for (const progress of told) {
        assert.ok(progress.done >= before.done && progress.pulled >= before.pulled && progress.done <= progress.pulled)
        assert.ok(progress.failed >= before.failed && progress.failed <= progress.done)
        assert.ok(progress.total === count || (!counted && progress.total === undefined))
        before = progress
      }
      if (count === 0) assert.deepEqual(told, [])
      else {
        const { total, ...rest } = before
        assert.deepEqual(rest, { pulled: count, done: count, failed: Math.floor(count / 2) })
        // An iterator has told of its end by then, unless its last item was done before anybody asked for more.
        assert.ok(total === count || !counted)
      }
    }
  ),
  property(
    "onProgress counts items that failed, and none that was cancelled, when the loop is left or the signal aborted",
    { promises: [12], runs: 25 },
    [
      fc.nat(5),
      fc.nat(10),
      fc.oneof(fc.constant("auto" as const), fc.integer({ min: 1, max: 8 })),
      fc.boolean(),
      fc.boolean()
    ],
    async (trial, failing, more, chunkSize, ordered, breaks) => {
      const executor = trial.open({ maxWorkers: 2 })
      const controller = new AbortController()
      const failed: Array<number> = []
      const items = Array.from({ length: 200 }, (_, index) => index < failing ? 1 : 2)
      const settled = executor.mapSettled(throwWhenOdd, items, {
        chunkSize,
        ordered,
        signal: controller.signal,
        onProgress: (progress) => failed.push(progress.failed)
      })
      let rejected = 0
      let taken = 0
      for await (const { status } of settled) {
        if (status === "rejected") rejected++
        if (rejected < failing || taken++ < more) continue
        if (breaks) break
        controller.abort()
      }
      await executor.shutdown()
      assert.equal(rejected, failing)
      assert.equal(failed.at(-1), failing)
      assert.ok(failed.every((count) => count <= failing))
    }
  ),
  law("The total of onProgress is that of the set or map it is given, and absent while the input has no end", {
    promises: [12]
  }, async (trial) => {
    const told: Array<MapProgress> = []
    const onProgress = (progress: MapProgress): void => void told.push(progress)
    await collect(trial.shared.map(double, new Set([1, 2, 2, 3]), { onProgress }))
    assert.deepEqual([told[0]!.total, told.at(-1)], [3, { pulled: 3, done: 3, failed: 0, total: 3 }])
    told.length = 0
    const naturals = function*(): Generator<number> {
      for (let n = 0;; n++) yield n
    }
    for await (const n of trial.shared.map(double, naturals(), { onProgress })) if (n === 10) break
    assert.ok(told.length > 0)
    for (const { total } of told) assert.equal(total, undefined)
  }),
  law("What onProgress throws harms nobody", { promises: [12] }, async (trial) => {
    const onProgress = (): void => {
      throw new Error("the listener is broken")
    }
    assert.deepEqual(await collect(trial.shared.map(double, [1, 2, 3], { onProgress })), [2, 4, 6])
  }),
  law(
    "A Stream that is the input of Executor.map is closed when nobody wants more",
    { promises: [12] },
    async (trial) => {
      let closed = 0
      const input = Stream.ensuring(Stream.iterate(0, (n) => n + 1), Effect.sync(() => closed++))
      const taken = Stream.runCollect(Stream.take(Executor.map(double, input, { bufferSize: 4 }), 3))
      assert.deepEqual(await on(trial.shared, taken), [0, 2, 4])
      assert.equal(closed, 1)
      const failing = Stream.runDrain(Executor.map(throwWhenOdd, input, { bufferSize: 4 }))
      isError(await on(trial.shared, failure(failing)), TaskFailedError)
      assert.equal(closed, 2)
    }
  ),
  law(
    "Executor.mapExit yields typed failures, defects and values as they are, in order",
    { promises: [5, 12] },
    async (trial) => {
      const exits = await on(
        trial.shared,
        Stream.runCollect(Executor.mapExit(throwWhenOdd, Stream.fromIterable([2, 3, 4]), { chunkSize: 2 }))
      )
      assert.deepEqual(exits.map(Exit.isSuccess), [true, false, true])
      const [, thrown] = exits
      assert.ok(Exit.isFailure(thrown!))
      isError(isError(Cause.squash(thrown.cause), TaskFailedError).cause, RangeError, { message: "3 is odd" })
      const found = await on(
        trial.shared,
        failure(Stream.runDrain(Executor.starmap(findIn, [[["a", "b"], "b"], [["a"], "c"]])))
      )
      isError(found, Missing, { id: "c", tried: ["a"] })
      const input = Stream.concat(Stream.fromIterable([2]), Stream.fail(new InvalidStateError("from the input")))
      isError(await on(trial.shared, failure(Stream.runDrain(Executor.mapExit(double, input)))), InvalidStateError)
    }
  )
])
