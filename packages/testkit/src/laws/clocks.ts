/** Three clocks, each of which counts one thing. */
import { CancelledError, Task, TaskTimeoutError, wait } from "@futures/core"
import assert from "node:assert/strict"
import { failsWith, isIn, rejection } from "../expect.ts"
import { occupy } from "../held.ts"
import { law, laws } from "../Law.ts"
import { add } from "../tasks.ts"
import { throwValue } from "../tasksErrors.ts"
import { answerWhenAsked } from "../tasksSignals.ts"

export const clocks = laws("clocks", [
  law(
    "The patience of result() is the caller's: when it runs out the task goes on",
    { promises: [13] },
    async (trial) => {
      const { future: holder, release } = await occupy(trial)
      for (const timeout of [0, 20, "20 millis"] as const) {
        await failsWith(holder.result({ timeout }), TaskTimeoutError, { clock: "wait", after: timeout === 0 ? 0 : 20 })
        await failsWith(holder.exception({ timeout }), TaskTimeoutError, { clock: "wait" })
        assert.equal(await holder.wait({ timeout }), false)
      }
      isIn(holder, "running")
      release()
      assert.equal(typeof await holder.result({ timeout: "10 seconds" }), "string")
    }
  ),
  law("A timeout of zero polls: what is known counts", { promises: [13] }, async (trial) => {
    const { future: holder, release } = await occupy(trial)
    const cancelled = trial.single.submit(add, 1, 2)
    cancelled.cancel()
    release()
    const failed = trial.single.submit(throwValue, "no")
    await wait([holder, failed, cancelled])
    assert.equal(typeof await holder.result({ timeout: 0 }), "string")
    assert.equal(await holder.exception({ timeout: 0 }), undefined)
    assert.equal(await rejection(failed.result({ timeout: 0 })), "no")
    assert.equal(await failed.exception({ timeout: 0 }), "no")
    await failsWith(cancelled.result({ timeout: 0 }), CancelledError)
    await failsWith(cancelled.exception({ timeout: 0 }), CancelledError)
    assert.deepEqual(await Promise.all([holder, failed, cancelled].map((future) => future.wait({ timeout: 0 }))), [
      true,
      true,
      true
    ])
  }),
  law("A run clock ends the run: the call fails with TaskTimeoutError, and its worker is free again", {
    promises: [13]
  }, async (trial) => {
    const { port, word } = await trial.signals()
    const future = trial.single.submit(Task.with(answerWhenAsked, { timeout: 30 }), port, word())
    await failsWith(future.result(), TaskTimeoutError, { clock: "run", after: 30 })
    isIn(future, "failed")
    assert.equal(await trial.single.run(add, 1, 2), 3)
  }),
  law("A run clock does not count the time in the queue", { promises: [13] }, async (trial) => {
    const { future: holder, release } = await occupy(trial)
    const future = trial.single.submit(Task.with(add, { timeout: "10 seconds" }), 1, 2)
    const brief = trial.single.submit(Task.with(add, { timeout: 400 }), 3, 4)
    assert.equal(await holder.wait({ timeout: 450 }), false)
    isIn(brief, "pending")
    release()
    assert.deepEqual(await Promise.all([future.result(), brief.result()]), [3, 7])
  })
])
