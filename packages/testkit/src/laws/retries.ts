/** Calls that are tried again, for as long as they were told to. */
import {
  CancelledError,
  NotPortableError,
  PoisonTaskError,
  Task,
  TaskTimeoutError,
  WorkerLostError
} from "@futures/core"
import * as Schedule from "effect/Schedule"
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { failsWith, isIn, rejection, turn } from "../expect.ts"
import { law, laws, property } from "../Law.ts"
import { add } from "../tasks.ts"
import {
  exitEach,
  exitOnceThenThrow,
  exitUntil,
  loseFunction,
  pushUntil,
  throwUntil,
  waitUntil
} from "../tasksAttempts.ts"
import { stopWhenAsked } from "../tasksSignals.ts"

const attempts = (count: number): Array<string> => Array.from({ length: count }, (_, index) => String(index + 1))

/** Each way to ask for so many attempts after the first. */
const ways = {
  "a number": (times: number) => times,
  "an object": (times: number) => ({ times }),
  "an object with a pause": (times: number) => ({ times, delay: 1, factor: 1.5 }),
  "a predicate": (times: number) => ({ times, while: (error: unknown) => error instanceof RangeError }),
  "a Schedule": (times: number) => Schedule.recurs(times),
  "a Schedule with pauses": (times: number) => Schedule.spaced("1 millis").pipe(Schedule.upTo({ times }))
}

export const retries = laws("retries", [
  property(
    "A call is tried as often as it was told to, until it succeeds, and each attempt knows its number",
    { promises: [6], runs: 60 },
    [fc.constantFrom(...Object.keys(ways) as Array<keyof typeof ways>), fc.nat(3), fc.integer({ min: 1, max: 5 })],
    async (trial, way, times, good) => {
      const notebook = trial.notebook()
      const future = trial.shared.submit(Task.with(throwUntil, { retry: ways[way](times) }), notebook.path, good)
      const tried = Math.min(times + 1, good)
      if (good <= times + 1) assert.equal(await future.result(), good)
      else await failsWith(future.result(), RangeError, { message: `attempt ${tried}` })
      assert.deepEqual(notebook.lines(), attempts(tried))
      assert.equal(future.info.attempt, tried)
    }
  ),
  law("A failure of which while says no is the last", { promises: [6] }, async (trial) => {
    const notebook = trial.notebook()
    const asked: Array<string> = []
    const retry = {
      times: 5,
      while: (error: unknown) => asked.push((error as Error).message) < 2
    }
    await failsWith(trial.shared.run(Task.with(throwUntil, { retry }), notebook.path, 9), RangeError, {
      message: "attempt 2"
    })
    assert.deepEqual(asked, ["attempt 1", "attempt 2"])
    assert.deepEqual(notebook.lines(), ["1", "2"])
  }),
  property(
    "A retry.while that throws fails the call with what it threw, whatever that is, at the attempt at which it throws",
    { promises: [5, 6], runs: 30 },
    [
      fc.oneof(fc.constant(undefined), fc.string(), fc.string().map((text) => new TypeError(text))),
      fc.integer({ min: 1, max: 3 })
    ],
    async (trial, thrown, at) => {
      const notebook = trial.notebook()
      let asked = 0
      const broken = Task.with(throwUntil, {
        retry: {
          times: 5,
          while: () => {
            if (++asked === at) throw thrown
            return true
          }
        }
      })
      const future = trial.shared.submit(broken, notebook.path, 9)
      assert.equal(await rejection(future.result()), thrown)
      isIn(future, "failed")
      assert.deepEqual(notebook.lines(), attempts(at))
    }
  ),
  law("A Schedule is asked with the error, and starts anew for each call", { promises: [6] }, async (trial) => {
    const notebook = trial.notebook()
    const task = Task.with(throwUntil, {
      retry: Schedule.recurs(9).pipe(
        Schedule.setInputType<unknown>(),
        Schedule.while(({ input }) => (input as Error).message !== "attempt 3")
      )
    })
    for (let call = 0; call < 2; call++) {
      await failsWith(trial.shared.run(task, notebook.path, 9), RangeError, { message: "attempt 3" })
    }
    assert.deepEqual(notebook.lines(), [...attempts(3), ...attempts(3)])
  }),
  law("The run clock is each attempt's own", { promises: [6, 13] }, async (trial) => {
    const notebook = trial.notebook()
    const task = Task.with(waitUntil, { timeout: 30, retry: 2 })
    assert.equal(await trial.shared.run(task, notebook.path, 3), 3)
    await failsWith(trial.shared.run(task, notebook.path, 9), TaskTimeoutError, { clock: "run", after: 30 })
    assert.deepEqual(notebook.lines(), [...attempts(3), ...attempts(3)])
  }),
  law("Each attempt gets the arguments as they were handed in", { promises: [3, 6] }, async (trial) => {
    const notebook = trial.notebook()
    const list = [0]
    const future = trial.shared.submit(Task.with(pushUntil, { retry: 2 }), notebook.path, 3, list)
    list.push(100)
    assert.deepEqual(await future.result(), [0, 3])
  }),
  law(
    "Between two attempts a call is pending: it can be cancelled, and is then tried no more",
    { promises: [6] },
    async (trial) => {
      const notebook = trial.notebook()
      const failed = Promise.withResolvers<void>()
      const retry = { times: 5, delay: "1 hour", while: () => (failed.resolve(), true) } as const
      const future = trial.shared.submit(Task.with(throwUntil, { retry }), notebook.path, 9)
      await failed.promise
      await turn()
      isIn(future, "pending")
      assert.equal(trial.shared.stats().pending, 1)
      assert.equal(await trial.shared.run(add, 1, 2), 3)
      assert.equal(future.cancel(), true)
      await failsWith(future.result(), CancelledError, { reason: "cancel" })
      assert.deepEqual(notebook.lines(), ["1"])
    }
  ),
  law("shutdown({ cancelPending }) cancels what waits for its next attempt", { promises: [14] }, async (trial) => {
    const notebook = trial.notebook()
    const executor = trial.open({ maxWorkers: 1 })
    const failed = Promise.withResolvers<void>()
    const retry = { times: 5, delay: "1 hour", while: () => (failed.resolve(), true) } as const
    const future = executor.submit(Task.with(throwUntil, { retry }), notebook.path, 9)
    await failed.promise
    await executor.shutdown({ cancelPending: true })
    await failsWith(future.result(), CancelledError, { reason: "shutdown" })
    assert.deepEqual(notebook.lines(), ["1"])
  }),
  law("shutdown() waits for the attempts that are still to come", { promises: [6, 14] }, async (trial) => {
    const notebook = trial.notebook()
    const executor = trial.open({ maxWorkers: 1 })
    const future = executor.submit(Task.with(throwUntil, { retry: { times: 2, delay: 5 } }), notebook.path, 3)
    await executor.shutdown()
    isIn(future, "succeeded")
    assert.deepEqual(notebook.lines(), attempts(3))
  }),
  law("A call that was interrupted is not tried again", { promises: [6, 7] }, async (trial) => {
    const signals = await trial.signals()
    const word = signals.word()
    const future = trial.shared.submit(Task.with(stopWhenAsked, { retry: 3 }), signals.port, word)
    await signals.heard(word)
    assert.equal(await future.interrupt({ grace: "15 seconds" }), true)
    await failsWith(future.result(), CancelledError, { reason: "interrupt" })
    assert.equal(future.info.attempt, 1)
  }),
  law("What cannot travel is not tried again", { promises: [2, 6] }, async (trial) => {
    const notebook = trial.notebook()
    const future = trial.shared.submit(Task.with(loseFunction, { retry: 3 }), notebook.path)
    await failsWith(future.result(), NotPortableError, { side: "result" })
    assert.deepEqual(notebook.lines(), ["1"])
  }),
  law(
    "A call that loses its worker is tried again in another",
    { promises: [6, 8], needs: ["workers"] },
    async (trial) => {
      const notebook = trial.notebook()
      const executor = trial.open({ maxWorkers: 1 })
      assert.equal(await executor.run(Task.with(exitUntil, { retry: 2 }), notebook.path, 2), 2)
      assert.deepEqual(notebook.lines(), attempts(2))
      await failsWith(
        executor.run(Task.with(exitUntil, { retry: { times: 2, while: () => false } }), notebook.path, 2),
        WorkerLostError
      )
    }
  ),
  law(
    "A call that kills its worker in every attempt ends as PoisonTaskError; one that ends otherwise, as it ended",
    { promises: [6, 8], needs: ["workers"] },
    async (trial) => {
      const notebook = trial.notebook()
      const executor = trial.open({ maxWorkers: 1 })
      const neighbour = executor.submit(add, 1, 2)
      const poison = executor.submit(Task.with(exitEach, { retry: 1 }), notebook.path)
      const error = await failsWith(poison.result(), PoisonTaskError, { attempts: 2 })
      assert.ok(error.cause instanceof WorkerLostError)
      assert.equal(error.cause.exitCode, 12)
      assert.equal(await neighbour.result(), 3)
      const mended = executor.run(Task.with(exitOnceThenThrow, { retry: 1 }), notebook.path)
      assert.equal((await rejection(mended) as Error).message, "attempt 2")
      assert.deepEqual(notebook.lines(), [...attempts(2), ...attempts(2)])
    }
  )
])
