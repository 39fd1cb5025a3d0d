/** Statics speak Effect, instances speak Promise: each pair says the same. */
import { asCompleted, CancelledError, Executor, Future, gather, TaskTimeoutError, wait } from "@futures/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { pipe } from "effect/Function"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import assert from "node:assert/strict"
import { collect, failsWith, isError, isIn, rejection } from "../expect.ts"
import { failure, on } from "../faces.ts"
import { law, laws } from "../Law.ts"
import { add, double } from "../tasks.ts"
import { failTagged, Missing } from "../tasksEffect.ts"
import { ignoreAsking, stopWhenAsked, waitFor } from "../tasksSignals.ts"
import { count, reporting } from "../tasksStreams.ts"

const { runPromise } = Effect

/** What a stream yields, as the loop over its twin would. */
const collected = <A, E>(executor: Executor, stream: Stream.Stream<A, E, Executor>): Promise<Array<A>> =>
  on(executor, Stream.runCollect(stream))

export const twins = laws("statics and methods", [
  law("What the methods of an executor answer, its statics answer", { promises: [5] }, async (trial) => {
    const { shared } = trial
    assert.equal(await on(shared, Executor.run(add, 1, 2)), await shared.run(add, 1, 2))
    assert.equal(
      await on(shared, Effect.flatMap(Executor.submit(add, 1, 2), Future.result)),
      await shared.submit(add, 1, 2).result()
    )
    const numbers = [3, 1, 2]
    assert.deepEqual(
      await collected(shared, Executor.map(double, numbers)),
      await collect(shared.map(double, numbers))
    )
    const tuples: Array<[number, number]> = [[1, 2], [3, 4]]
    assert.deepEqual(
      await collected(shared, Executor.starmap(add, tuples)),
      await collect(shared.starmap(add, tuples))
    )
    assert.deepEqual(await collected(shared, Executor.stream(count, 20)), await collect(shared.stream(count, 20)))
    const ids = ["a", "b"]
    const settled = await collect(shared.mapSettled(failTagged, ids))
    const exits = await collected(shared, Executor.mapExit(failTagged, ids))
    for (const [index, id] of ids.entries()) {
      assert.deepEqual(settled[index]!.status, "rejected")
      isError((settled[index] as PromiseRejectedResult).reason, Missing, { id })
      isError(await runPromise(failure(exits[index]!)), Missing, { id })
    }
    isError(await on(shared, failure(Executor.run(failTagged, "x"))), Missing, { id: "x" })
    isError(await rejection(shared.run(failTagged, "x")), Missing, { id: "x" })
    assert.deepEqual(await on(shared, Executor.stats), shared.stats())
  }),
  law("What the methods of a future answer, the statics of Future answer", { promises: [5] }, async (trial) => {
    const [good, bad] = [trial.shared.submit(add, 1, 2), trial.shared.submit(failTagged, "x")]
    assert.equal(await runPromise(Future.wait(good)), undefined)
    assert.equal(await good.wait(), true)
    assert.equal(await runPromise(Future.result(good)), await good.result())
    assert.deepEqual(await runPromise(Future.exit(good)), Exit.succeed(await good.result()))
    assert.equal(Option.isSome(Future.poll(good)), good.done())
    isError(await runPromise(failure(Future.result(bad))), Missing, { id: "x" })
    isError(await bad.exception(), Missing, { id: "x" })
    assert.equal(Exit.isSuccess(await runPromise(Future.exit(bad))), bad.successful())
    for (const future of [good, bad]) {
      assert.equal(await runPromise(Future.cancel(future)), future.cancel())
      assert.equal(await runPromise(Future.interrupt(future)), await future.interrupt())
    }
    assert.deepEqual(await runPromise(Future.gather([good, good])), await gather([good, good]))
    isError(await runPromise(failure(Future.gather([good, bad]))), Missing)
    isError(await rejection(gather([good, bad])), Missing)
    assert.deepEqual(await runPromise(Future.waitAll([good, bad])), await wait([good, bad]))
    assert.deepEqual(
      await runPromise(Stream.runCollect(Future.asCompleted([good, bad]))),
      await collect(asCompleted([good, bad]))
    )
    const reports = trial.shared.submit(reporting, [1, 2])
    await reports.result()
    assert.deepEqual(
      await runPromise(Stream.runCollect(Future.progress(reports))),
      await collect(reports.progress())
    )
  }),
  law("Future.asCompleted fails as asCompleted() does when its time is over", { promises: [13] }, async (trial) => {
    const signals = await trial.signals()
    const word = signals.word()
    const held = trial.single.submit(waitFor, signals.port, word)
    await signals.heard(word)
    const late = { clock: "wait", after: 10 } as const
    isError(
      await runPromise(failure(Stream.runCollect(Future.asCompleted([held], { timeout: 10 })))),
      TaskTimeoutError,
      late
    )
    await failsWith(collect(asCompleted([held], { timeout: 10 })), TaskTimeoutError, late)
    isIn(held, "running")
    signals.release(word)
    await held.result()
  }),
  law("Future.interrupt takes the future alone, with options, or options first", { promises: [7] }, async (trial) => {
    const signals = await trial.signals()
    const ways: ReadonlyArray<(future: Future<unknown>) => Effect.Effect<boolean>> = [
      Future.interrupt,
      (future) => Future.interrupt(future, { grace: "15 seconds" }),
      (future) => pipe(future, Future.interrupt({ grace: "15 seconds" }))
    ]
    for (const way of ways) {
      const word = signals.word()
      const future = trial.single.submit(stopWhenAsked, signals.port, word)
      await signals.heard(word)
      assert.equal(await runPromise(way(future)), true)
      await failsWith(future.result(), CancelledError, { reason: "interrupt" })
    }
  }),
  law(
    "Future.interrupt with a grace of zero ends the worker of a task that does not listen",
    { promises: [7], needs: ["workers"] },
    async (trial) => {
      const signals = await trial.signals()
      const word = signals.word()
      const executor = trial.open({ maxWorkers: 1, grace: "1 hour" })
      const future = executor.submit(ignoreAsking, signals.port, word)
      await signals.heard(word)
      assert.equal(await runPromise(pipe(future, Future.interrupt({ grace: 0 }))), true)
      isIn(future, "cancelled")
    }
  )
])
