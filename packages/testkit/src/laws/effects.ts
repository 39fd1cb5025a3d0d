/** Statics speak Effect: the same futures, with typed errors. */
import {
  CancelledError,
  Executor,
  ExecutorShutdownError,
  Future,
  NotPortableError,
  TaskFailedError
} from "@futures/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import assert from "node:assert/strict"
import { isError, isIn, rejection } from "../expect.ts"
import { failure, on } from "../faces.ts"
import { law, laws } from "../Law.ts"
import { add, double, identity } from "../tasks.ts"
import { answer, die, dieOfValue, failPlain, failTagged, findIn, Missing } from "../tasksEffect.ts"
import { decline, Declined, throwUnlisted, throwValue, throwWhenOdd } from "../tasksErrors.ts"
import { waitFor } from "../tasksSignals.ts"

export const effects = laws("effects", [
  law("A task may return an Effect, and its value is the result on both faces", { promises: [] }, async (trial) => {
    assert.equal(await trial.shared.run(answer, 42), 42)
    assert.equal(await on(trial.shared, Executor.run(answer, 42)), 42)
    assert.equal(await on(trial.shared, Effect.flatMap(Executor.submit(answer, 42), Future.result)), 42)
    assert.equal(await trial.shared.run(findIn, ["a", "b"], "b"), 1)
  }),
  law("A typed failure keeps its tag and its fields on both faces", { promises: [5] }, async (trial) => {
    const fields = { id: "x", tried: ["here", "there"] }
    for (
      const program of [Executor.run(failTagged, "x"), Effect.flatMap(Executor.submit(failTagged, "x"), Future.result)]
    ) {
      isError(await on(trial.shared, failure(program)), Missing, { _tag: "Missing", ...fields } as never)
      assert.deepEqual(
        await on(trial.shared, Effect.catchTag(program, "Missing", ({ tried }) => Effect.succeed(tried))),
        fields.tried
      )
    }
    isError(await rejection(trial.shared.run(failTagged, "x")), Missing, fields)
    const plain = { _tag: "Refused", code: 5 }
    assert.deepEqual(await on(trial.shared, failure(Executor.run(failPlain, 5))), plain)
    assert.deepEqual(await rejection(trial.shared.run(failPlain, 5)), plain)
    assert.equal(
      await on(
        trial.shared,
        Effect.catchTag(Executor.run(failPlain, 5), "Refused", ({ code }) => Effect.succeed(code))
      ),
      5
    )
  }),
  law("A defect of a task's Effect becomes TaskFailedError with the exact cause, and is thrown as it is to promises", {
    promises: [5]
  }, async (trial) => {
    const error = isError(await on(trial.shared, failure(Executor.run(die, "a defect"))), TaskFailedError)
    assert.ok(error.cause instanceof RangeError)
    assert.equal(error.cause.message, "a defect")
    const thrown = await rejection(trial.shared.run(die, "a defect"))
    assert.ok(thrown instanceof RangeError)
    for (const value of [undefined, "text", { a: 1 }]) {
      assert.deepEqual(
        isError(await on(trial.shared, failure(Executor.run(dieOfValue, value))), TaskFailedError).cause,
        value
      )
      assert.deepEqual(await rejection(trial.shared.run(dieOfValue, value)), value)
    }
  }),
  law(
    "What a task throws becomes TaskFailedError with the exact cause in the error channel",
    { promises: [5] },
    async (trial) => {
      for (const value of [undefined, null, "text", { a: 1 }, { _tag: "Missing" }]) {
        const error = isError(await on(trial.shared, failure(Executor.run(throwValue, value))), TaskFailedError)
        assert.ok(Object.hasOwn(error, "cause"))
        assert.deepEqual(error.cause, value)
      }
      const unlisted = isError(await on(trial.shared, failure(Executor.run(throwUnlisted, 3))), TaskFailedError)
      assert.equal((unlisted.cause as Error).name, "Unlisted")
      const declined = isError(await on(trial.shared, failure(Executor.run(decline, 1))), TaskFailedError)
      assert.ok(declined.cause instanceof Declined)
    }
  ),
  law("Errors of ours are themselves in the error channel", { promises: [2, 14] }, async (trial) => {
    isError(await on(trial.shared, failure(Executor.run(identity, () => 1))), NotPortableError, { side: "argument" })
    const executor = trial.open()
    await executor.shutdown()
    isError(await on(executor, failure(Executor.run(add, 1, 2))), ExecutorShutdownError)
    isError(await on(executor, failure(Executor.submit(add, 1, 2))), ExecutorShutdownError)
  }),
  law("Interrupting Future.result ends the waiting, not the task", { promises: [13] }, async (trial) => {
    const signals = await trial.signals()
    const word = signals.word()
    const future = trial.single.submit(waitFor, signals.port, word)
    await signals.heard(word)
    const waited = await Effect.runPromise(Effect.timeoutOption(Future.result(future), "20 millis"))
    assert.ok(Option.isNone(waited))
    isIn(future, "running")
    signals.release(word)
    assert.equal(await Effect.runPromise(Future.result(future)), word)
  }),
  law("The statics of Future say what its methods say", { promises: [5] }, async (trial) => {
    const signals = await trial.signals()
    const word = signals.word()
    const holder = trial.single.submit(waitFor, signals.port, word)
    await signals.heard(word)
    const [good, bad, cancelled, interrupted] = [
      trial.single.submit(add, 1, 2),
      trial.single.submit(throwValue, "no"),
      trial.single.submit(add, 3, 4),
      trial.single.submit(add, 5, 6)
    ]
    assert.ok(Option.isNone(Future.poll(good)))
    assert.equal(await Effect.runPromise(Future.cancel(cancelled)), true)
    assert.equal(await Effect.runPromise(Future.interrupt(interrupted)), true)
    assert.equal(await Effect.runPromise(Future.cancel(holder)), false)
    signals.release(word)
    await Effect.runPromise(
      Effect.forEach([holder, good, bad, cancelled] as ReadonlyArray<Future<unknown>>, Future.wait)
    )
    assert.deepEqual(Option.getOrThrow(Future.poll(good)), Exit.succeed(3))
    assert.deepEqual(await Effect.runPromise(Future.exit(good)), Exit.succeed(3))
    isError(await Effect.runPromise(failure(Future.result(bad))), TaskFailedError, { cause: "no" })
    isError(await Effect.runPromise(failure(Future.result(cancelled))), CancelledError, { reason: "cancel" })
    isError(await Effect.runPromise(failure(Future.result(interrupted))), CancelledError, { reason: "interrupt" })
    assert.deepEqual(await Effect.runPromise(Future.gather([good, good])), [3, 3])
    isError(await Effect.runPromise(failure(Future.gather([good, bad]))), TaskFailedError)
    assert.equal((await Effect.runPromise(Future.waitAll([good, bad]))).done.size, 2)
  }),
  law("Executor.map is a stream of results, Executor.mapExit one of outcomes", { promises: [12] }, async (trial) => {
    const numbers = [0, 2, 4, 6]
    assert.deepEqual(await on(trial.shared, Stream.runCollect(Executor.map(double, numbers))), [0, 4, 8, 12])
    assert.deepEqual(await on(trial.shared, Stream.runCollect(Executor.map(double, Stream.fromIterable(numbers)))), [
      0,
      4,
      8,
      12
    ])
    const thrown = await on(trial.shared, failure(Stream.runCollect(Executor.map(throwWhenOdd, [2, 3, 4]))))
    assert.equal((isError(thrown, TaskFailedError).cause as Error).message, "3 is odd")
    const exits = await on(trial.shared, Stream.runCollect(Executor.mapExit(throwWhenOdd, [2, 3, 4])))
    assert.deepEqual(exits.map((exit) => exit._tag), ["Success", "Failure", "Success"])
    const naturals = Stream.iterate(0, (n) => n + 1)
    assert.deepEqual(await on(trial.shared, Stream.runCollect(Stream.take(Executor.map(double, naturals), 3))), [
      0,
      2,
      4
    ])
  }),
  law("What the input of Executor.map fails with is what the stream fails with", { promises: [12] }, async (trial) => {
    const input = Stream.concat(Stream.fromIterable([1, 2]), Stream.fail("from the input" as const))
    const seen: Array<number> = []
    const program = Stream.runForEach(Executor.map(double, input), (n) => Effect.sync(() => seen.push(n)))
    assert.equal(await on(trial.shared, failure(program)), "from the input")
    assert.deepEqual(seen, [2, 4])
  })
])
