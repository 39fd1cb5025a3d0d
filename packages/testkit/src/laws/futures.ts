/** What a future is, and what it tells. */
import { ExecutorShutdownError } from "@futures/core"
import type { Future } from "@futures/core"
import assert from "node:assert/strict"
import { hostname } from "node:os"
import { inspect } from "node:util"
import { failsWith, turn } from "../expect.ts"
import { law, laws } from "../Law.ts"
import { hearingWarnings } from "../reading.ts"
import { add, double, identity } from "../tasks.ts"
import { throwValue } from "../tasksErrors.ts"
import { waitFor } from "../tasksSignals.ts"

export const futures = laws("futures", [
  law(
    "onDone calls back with the future, in order of registration, as often as it was asked",
    { promises: [5] },
    async (trial) => {
      const signals = await trial.signals()
      const word = signals.word()
      const future = trial.single.submit(waitFor, signals.port, word)
      const calls: Array<string> = []
      const repeated = (): void => void calls.push("again")
      future.onDone((given) => {
        assert.equal(given, future)
        calls.push("first")
        future.onDone(() => calls.push("from inside"))
      })
      future.onDone(repeated)
      future.onDone(repeated)
      future.onDone(() => calls.push("last"))
      assert.deepEqual(calls, [])
      signals.release(word)
      await future.result()
      await turn()
      assert.deepEqual(calls, ["first", "again", "again", "last", "from inside"])
    }
  ),
  law("onDone of a settled future calls back soon, and never at once", { promises: [5] }, async (trial) => {
    const succeeded = trial.shared.submit(add, 1, 2)
    const failed = trial.shared.submit(throwValue, "no")
    const cancelled = trial.shared.submit(add, 3, 4)
    cancelled.cancel()
    for (const future of [succeeded, failed, cancelled] as ReadonlyArray<Future<unknown>>) {
      await future.wait()
      const states: Array<string> = []
      future.onDone(({ state }) => states.push(state))
      assert.deepEqual(states, [])
      await turn()
      assert.deepEqual(states, [future.state])
    }
  }),
  law("A callback that throws or rejects harms neither the future nor other callbacks, and is warned of", {
    promises: [5]
  }, async (trial) => {
    const calls: Array<string> = []
    const warnings = await hearingWarnings(async () => {
      const future = trial.shared.submit(add, 1, 2)
      future.onDone(() => {
        throw new Error("thrown by a callback")
      })
      future.onDone(() => Promise.reject(new Error("rejected by a callback")))
      future.onDone(() => {
        throw undefined
      })
      future.onDone(() => calls.push("last"))
      assert.equal(await future.result(), 3)
      await turn()
    })
    assert.deepEqual(calls, ["last"])
    assert.equal(warnings.length, 3)
    assert.ok(warnings.some(({ message }) => message.includes("thrown by a callback")))
    assert.ok(warnings.some(({ message }) => message.includes("rejected by a callback")))
  }),
  law("A future is not thenable: to await it is not to wait for it", { promises: [5] }, async (trial) => {
    const give = async (): Promise<Future<number>> => {
      const submitted: Future<number> = trial.shared.submit(add, 1, 2)
      return submitted
    }
    const future = await give()
    assert.equal("then" in future, false)
    assert.equal(await future.result(), 3)
  }),
  law(
    "result() may be asked any number of times, before and after, and answers the same",
    { promises: [5] },
    async (trial) => {
      const future = trial.shared.submit(identity, { a: 1 })
      const [first, second] = await Promise.all([future.result(), future.result()])
      assert.equal(first, second)
      assert.equal(await future.result(), first)
      assert.equal(await future.exception(), undefined)
      assert.equal(await future.wait(), true)
    }
  ),
  law("info tells what was called, where it ran and when", { promises: [] }, async (trial) => {
    const signals = await trial.signals()
    const word = signals.word()
    const started = Date.now() - 1
    const holder = trial.single.submit(waitFor, signals.port, word)
    await signals.heard(word)
    const future = trial.single.submit(double, 2)
    const { id, label, task, attempt, workerId, submittedAt, startedAt, finishedAt, host } = future.info
    assert.deepEqual({ label, attempt, workerId, startedAt, finishedAt, host }, {
      label: "double",
      attempt: 0,
      workerId: undefined,
      startedAt: undefined,
      finishedAt: undefined,
      host: hostname()
    })
    assert.equal(task.name, "double")
    assert.match(task.module, /^file:.*tasks\.[jt]s$/)
    assert.ok(submittedAt >= started)
    assert.notEqual(id, holder.info.id)
    assert.equal(holder.info.attempt, 1)
    signals.release(word)
    await future.result()
    const { info } = future
    assert.deepEqual([info.id, info.attempt, info.workerId], [id, 1, holder.info.workerId])
    assert.ok(info.submittedAt <= info.startedAt! && info.startedAt! <= info.finishedAt!)
  }),
  law("A future shows its state to people", { promises: [] }, async (trial) => {
    const future = trial.shared.submit(double, 2)
    await future.result()
    assert.match(inspect(future), /succeeded/)
    assert.match(inspect(future), /double/)
    assert.match(JSON.stringify(future), /"succeeded"/)
  }),
  law("A failure that nobody looked at crashes nothing", { promises: [18] }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1 })
    const future = executor.submit(throwValue, new Error("nobody looks"))
    await executor.run(double, 1)
    await hearingWarnings(() => executor.shutdown())
    await turn()
    assert.equal(future.state, "failed")
  }),
  law(
    "submit never throws, and run rejects with what submit would have failed with",
    { promises: [5] },
    async (trial) => {
      const executor = trial.open()
      await executor.shutdown()
      await failsWith(executor.submit(double, 1).result(), ExecutorShutdownError)
      await failsWith(executor.run(double, 1), ExecutorShutdownError)
    }
  )
])
