/** A bounded queue: what is refused, what waits outside of it, and who is told of room. */
import { Executor, QueueFullError, Task, TaskTimeoutError } from "@futures/core"
import type { ExecutorOptions } from "@futures/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import assert from "node:assert/strict"
import { failsWith, isError, isIn, turn } from "../expect.ts"
import { failure, on } from "../faces.ts"
import { law, laws } from "../Law.ts"
import { add, double } from "../tasks.ts"
import { waitFor } from "../tasksSignals.ts"
import type { Trial } from "../Trial.ts"

/** An executor with one call that runs, held, and nothing in its queue. */
const held = async (trial: Trial, options: ExecutorOptions) => {
  const signals = await trial.signals()
  const word = signals.word()
  const executor = trial.open({ maxWorkers: 1, ...options })
  const holder = executor.submit(waitFor, signals.port, word)
  await signals.heard(word)
  return { executor, holder, release: () => signals.release(word) }
}

/** Whether a promise is fulfilled, once everything that was due has happened. */
const isOver = async (promise: Promise<unknown>): Promise<boolean> => {
  let over = false
  void promise.then(() => over = true)
  await turn()
  await turn()
  return over
}

export const backpressure = laws("backpressure", [
  law("A queue that is full rejects with QueueFullError, if it is told to", { promises: [5] }, async (trial) => {
    const { executor, holder, release } = await held(trial, { maxPending: 2, whenFull: "reject" })
    const accepted = [executor.submit(add, 1, 2), executor.submit(add, 3, 4)]
    const refused = executor.submit(add, 5, 6)
    isIn(refused, "failed")
    await failsWith(refused.result(), QueueFullError, { maxPending: 2 })
    isError(await on(executor, failure(Executor.submit(add, 5, 6))), QueueFullError, { maxPending: 2 })
    isError(await on(executor, failure(Executor.run(add, 5, 6))), QueueFullError, { maxPending: 2 })
    assert.equal(accepted[0]!.cancel(), true)
    const third = executor.submit(add, 7, 8)
    isIn(third, "pending")
    release()
    await holder.result()
    assert.deepEqual(await Promise.all([accepted[1]!.result(), third.result()]), [7, 15])
    assert.equal(await executor.run(double, 2), 4)
  }),
  law("Beyond maxPending a call waits, and runs in its turn", { promises: [5, 11] }, async (trial) => {
    const { executor, release } = await held(trial, { maxPending: 1 })
    const futures = Array.from({ length: 5 }, (_, index) => executor.submit(double, index))
    assert.deepEqual(new Set(futures.map((future) => future.state)), new Set(["pending"]))
    release()
    assert.deepEqual(await Promise.all(futures.map((future) => future.result())), [0, 2, 4, 6, 8])
  }),
  law("ready() resolves when there is room, and not before", { promises: [] }, async (trial) => {
    const { executor, release } = await held(trial, { maxPending: 2 })
    assert.ok(await isOver(executor.ready()))
    executor.submit(add, 1, 2)
    assert.ok(await isOver(executor.ready()))
    executor.submit(add, 3, 4)
    const ready = executor.ready()
    assert.ok(!await isOver(ready))
    release()
    await ready
    assert.ok(executor.stats().pending < 2)
  }),
  law("A call that is cancelled, or waits too long, makes room", { promises: [] }, async (trial) => {
    const { executor, release } = await held(trial, { maxPending: 1 })
    const cancelled = executor.submit(add, 1, 2)
    const first = executor.ready()
    cancelled.cancel()
    await first
    const expired = executor.submit(Task.with(add, { queueTimeout: 20 }), 1, 2)
    const second = executor.ready()
    await failsWith(expired.result(), TaskTimeoutError, { clock: "queue" })
    await second
    release()
  }),
  law("A shutdown ends the waiting for room", { promises: [14] }, async (trial) => {
    const { executor, release } = await held(trial, { maxPending: 1 })
    executor.submit(add, 1, 2)
    const ready = executor.ready()
    const over = executor.shutdown()
    await ready
    release()
    await over
  }),
  law(
    "On the Effect face submit waits for room, so that never more than maxPending wait",
    { promises: [5, 11] },
    async (trial) => {
      const signals = await trial.signals()
      const { executor, release } = await held(trial, { maxPending: 1 })
      const words = Array.from({ length: 4 }, signals.word)
      const submitted: Array<string> = []
      await on(
        executor,
        Effect.gen(function*() {
          const fiber = yield* Effect.forkChild(Effect.forEach(
            words,
            (word) =>
              Effect.tap(Executor.submit(waitFor, signals.port, word), () => Effect.sync(() => submitted.push(word))),
            { concurrency: "unbounded" }
          ))
          const settled = Effect.promise(async () => {
            await turn()
            await turn()
          })
          yield* settled
          assert.equal(submitted.length, 1)
          release()
          for (let index = 0; index < words.length; index++) {
            while (submitted.length <= index) yield* settled
            yield* Effect.promise(() => signals.heard(submitted[index]!))
            yield* settled
            assert.ok(executor.stats().pending <= 1, `${executor.stats().pending} wait`)
            signals.release(submitted[index]!)
          }
          const futures = yield* Fiber.join(fiber)
          yield* Effect.forEach(futures, (future) => Effect.promise(() => future.result()))
        })
      )
    }
  ),
  law("A submit that is interrupted while it waits for room hands in nothing", { promises: [6] }, async (trial) => {
    const { executor, release } = await held(trial, { maxPending: 1 })
    executor.submit(add, 1, 2)
    await on(
      executor,
      Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(Executor.submit(add, 3, 4))
        yield* Effect.promise(turn)
        yield* Fiber.interrupt(fiber)
      })
    )
    release()
    await executor.shutdown()
    assert.equal(executor.stats().succeeded, 2)
  })
])
