/** Failures that nobody looked at are named, once; and what else a future tells. */
import { CancelledError, Executor, Future, gather, QueueFullError, Task } from "@futures/core"
import type { Future as AnyFuture } from "@futures/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import assert from "node:assert/strict"
import { inspect } from "node:util"
import { collect, failsWith, isError, isIn } from "../expect.ts"
import { failure, on } from "../faces.ts"
import { occupy } from "../held.ts"
import { law, laws } from "../Law.ts"
import { hearingWarnings } from "../reading.ts"
import { add, double } from "../tasks.ts"
import { throwValue, throwWhenOdd } from "../tasksErrors.ts"
import { waitFor } from "../tasksSignals.ts"
import type { Trial } from "../Trial.ts"

/** The warnings of an executor's life. */
const warningsOf = (trial: Trial, body: (executor: Executor) => Promise<unknown>): Promise<Array<Error>> =>
  hearingWarnings(async () => {
    const executor = trial.open({ maxWorkers: 1 })
    await body(executor)
    await executor.shutdown()
  })

/** Each way to look at how a call ended. */
const looks: Readonly<Record<string, (future: AnyFuture<unknown, unknown>) => unknown>> = {
  result: (future) => future.result(),
  exception: (future) => future.exception(),
  successful: (future) => future.wait().then(() => future.successful()),
  onDone: (future) => new Promise((resolve) => future.onDone(resolve)),
  gather: (future) => gather([future]),
  poll: (future) => future.wait().then(() => Future.poll(future)),
  exit: (future) => Effect.runPromise(Future.exit(future)),
  "Future.result": (future) => Effect.runPromise(Future.result(future)),
  "Future.gather": (future) => Effect.runPromise(Future.gather([future]))
}

export const unseen = laws("unseen failures", [
  law("Failed calls that nobody looked at are named in one warning at the end", { promises: [18] }, async (trial) => {
    const warnings = await warningsOf(trial, async (executor) => {
      executor.submit(throwValue, new RangeError("the first"))
      executor.submit(Task.with(throwWhenOdd, { label: "the odd one" }), 3)
      executor.submit(double, (() => 1) as never)
      executor.submit(double, 1).cancel()
      await executor.run(add, 1, 2)
    })
    assert.equal(warnings.length, 1)
    const { message, name } = warnings[0]!
    assert.equal(name, "FuturesWarning")
    for (const part of ["3 failed calls", "throwValue", "the first", "the odd one", "3 is odd", "NotPortableError"]) {
      assert.ok(message.includes(part), `${part} in ${message}`)
    }
  }),
  law("The warning of one failed call is in the singular", { promises: [18] }, async (trial) => {
    const [warning] = await warningsOf(trial, (executor) => executor.submit(throwWhenOdd, 3).wait())
    assert.match(warning!.message, /^1 failed call of executor ".*" was never handled:/)
  }),
  law(
    "With stacks \"submit\" the warning shows the line that submitted the call",
    { promises: [18] },
    async (trial) => {
      const warnings = await hearingWarnings(async () => {
        const executor = trial.open({ maxWorkers: 1, stacks: "submit" })
        const theLineThatSubmits = (): AnyFuture<number> => executor.submit(throwWhenOdd, 3)
        await theLineThatSubmits().wait()
        await executor.shutdown()
      })
      assert.match(warnings[0]!.message, /submitted at .*theLineThatSubmits.*unseen/)
    }
  ),
  law("A failure that somebody looked at, in whatever way, is not warned of", { promises: [18] }, async (trial) => {
    const warnings = await warningsOf(trial, async (executor) => {
      // What is named tells by its cause how it was looked at.
      for (const [way, look] of Object.entries(looks)) {
        await Promise.resolve(look(executor.submit(throwValue, way))).catch(() => {})
      }
      await executor.run(throwValue, "run").catch(() => {})
      await collect(executor.map(throwWhenOdd, [1, 2])).catch(() => {})
      await collect(executor.mapSettled(throwWhenOdd, [1, 2]))
      await on(executor, Effect.exit(Executor.run(throwValue, "run")))
      executor.submit(double, 1)
    })
    assert.deepEqual(warnings, [])
  }),
  law("A call that Executor.submit refuses in the error channel was looked at", { promises: [18] }, async (trial) => {
    const signals = await trial.signals()
    const word = signals.word()
    const warnings = await hearingWarnings(async () => {
      const executor = trial.open({ maxWorkers: 1, maxPending: 1, whenFull: "reject" })
      executor.submit(waitFor, signals.port, word)
      await signals.heard(word)
      executor.submit(double, 1)
      isError(await on(executor, failure(Executor.submit(double, 2))), QueueFullError)
      signals.release(word)
      await executor.shutdown()
    })
    assert.deepEqual(warnings, [])
  }),
  law("Of a hundred failures that nobody looked at some are named, and the others counted", {
    promises: [18]
  }, async (trial) => {
    const warnings = await warningsOf(trial, async (executor) => {
      for (let n = 0; n < 100; n++) executor.submit(throwValue, n)
      await executor.run(add, 1, 2)
    })
    assert.equal(warnings.length, 1)
    assert.match(warnings[0]!.message, /more/)
    assert.ok(warnings[0]!.message.split("\n").length < 20)
  }),
  law("To cancel again is to be told that it is cancelled; to interrupt then, that it had ended", {
    promises: [5, 6]
  }, async (trial) => {
    const { future: holder, release } = await occupy(trial)
    const cancelled = trial.single.submit(double, 1)
    assert.deepEqual([cancelled.cancel(), cancelled.cancel()], [true, true])
    assert.equal(await cancelled.interrupt(), false)
    assert.equal(await Effect.runPromise(Future.cancel(cancelled)), true)
    const interrupted = trial.single.submit(double, 1)
    assert.equal(await interrupted.interrupt(), true)
    isIn(interrupted, "cancelled")
    assert.equal(interrupted.cancel(), true)
    await failsWith(interrupted.result(), CancelledError, { reason: "interrupt" })
    const exit = await Effect.runPromise(Future.exit(cancelled))
    assert.ok(Exit.isFailure(exit))
    release()
    await holder.result()
  }),
  law("A future as JSON is its state and info, and never its value", { promises: [] }, async (trial) => {
    const future = trial.shared.submit(Task.with(add, { label: "the sum" }), 40_000, 2_345)
    await future.result()
    const json: unknown = JSON.parse(JSON.stringify(future))
    const info = JSON.parse(JSON.stringify(future.info)) as { readonly label: string }
    assert.deepEqual(json, { _id: "Future", state: "succeeded", ...info })
    assert.equal(info.label, "the sum")
    for (const text of [JSON.stringify(future), inspect(future)]) {
      assert.ok(text.includes("succeeded") && text.includes("the sum") && !text.includes("42345"), text)
    }
  })
])
