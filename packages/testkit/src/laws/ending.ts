/** How an executor ends. */
import { asCompleted, CancelledError, ExecutorShutdownError, wait, withExecutor } from "@futures/core"
import type { WorkerExit } from "@futures/core"
import assert from "node:assert/strict"
import { collect, failsWith, isIn, outcomeOf, rejection, turn } from "../expect.ts"
import { busy } from "../held.ts"
import { law, laws } from "../Law.ts"
import { add, asynchronous, exit, note } from "../tasks.ts"
import { ignoreAsking, stopWhenAsked, waitFor } from "../tasksSignals.ts"

/** Whether a promise has settled, once everything that was due has happened. */
const hasSettled = async (promise: Promise<unknown>): Promise<boolean> => {
  let settled = false
  promise.then(() => settled = true, () => settled = true)
  await turn()
  return settled
}

export const ending = laws("ending", [
  law("shutdown() waits for everything that was handed in, and lets it run", { promises: [14] }, async (trial) => {
    const { executor, holder, waiting, notebook, release } = await busy(trial)
    const ended = executor.shutdown()
    assert.equal(await hasSettled(ended), false)
    isIn(holder, "running")
    release()
    await ended
    assert.deepEqual([holder, ...waiting].map((future) => future.state), [
      "succeeded",
      "succeeded",
      "succeeded",
      "succeeded"
    ])
    assert.deepEqual(notebook.lines(), ["1", "2", "3"])
    assert.equal(executor.stats().workers, 0)
  }),
  law("shutdown() right after fifty calls leaves fifty results", { promises: [14] }, async (trial) => {
    const executor = trial.open({ maxWorkers: 2 })
    const futures = Array.from({ length: 50 }, (_, index) => executor.submit(asynchronous, index))
    await executor.shutdown()
    assert.deepEqual(
      await Promise.all(futures.map((future) => future.result({ timeout: 0 }))),
      futures.map((_, index) => index)
    )
  }),
  law("shutdown() may be asked again, and before anything was handed in", { promises: [14] }, async (trial) => {
    const unused = trial.open()
    await Promise.all([unused.shutdown(), unused.shutdown()])
    await unused.shutdown()
    await unused.terminate()
    const { executor, release } = await busy(trial)
    const endings = [executor.shutdown(), executor.shutdown(), executor[Symbol.asyncDispose]()]
    release()
    await Promise.all(endings)
    await executor.shutdown({ cancelPending: true })
  }),
  law("After shutdown() every call fails at once with ExecutorShutdownError", { promises: [14] }, async (trial) => {
    const { executor, release } = await busy(trial)
    const ended = executor.shutdown()
    const late = executor.submit(add, 1, 2)
    isIn(late, "failed")
    await failsWith(late.result({ timeout: 0 }), ExecutorShutdownError)
    release()
    await ended
    await failsWith(executor.run(add, 1, 2), ExecutorShutdownError)
  }),
  law(
    "shutdown({ cancelPending }) lets what runs finish, and the rest never runs",
    { promises: [6, 14] },
    async (trial) => {
      const { executor, holder, waiting, notebook, release } = await busy(trial)
      const ended = executor.shutdown({ cancelPending: true })
      assert.deepEqual(waiting.map((future) => future.state), ["cancelled", "cancelled", "cancelled"])
      assert.equal((await wait(waiting)).done.size, 3)
      assert.equal((await collect(asCompleted(waiting))).length, 3)
      for (const future of waiting) await failsWith(future.result(), CancelledError, { reason: "shutdown" })
      isIn(holder, "running")
      release()
      await ended
      isIn(holder, "succeeded")
      assert.deepEqual(notebook.lines(), [])
    }
  ),
  law("A shutdown() that waits may still be told to cancel what is pending", { promises: [14] }, async (trial) => {
    const { executor, waiting, release } = await busy(trial)
    const ended = executor.shutdown()
    void executor.shutdown({ cancelPending: true })
    assert.ok(waiting.every((future) => future.cancelled()))
    release()
    await ended
  }),
  law("terminate() cancels what is pending, interrupts what runs, and waits until it has stopped", {
    promises: [7, 14]
  }, async (trial) => {
    const signals = await trial.signals()
    const notebook = trial.notebook()
    const word = signals.word()
    const executor = trial.open({ maxWorkers: 1, grace: "15 seconds" })
    const running = executor.submit(stopWhenAsked, signals.port, word)
    const waiting = executor.submit(note, notebook.path, "ran")
    await signals.heard(word)
    await Promise.all([executor.terminate(), executor.terminate()])
    assert.deepEqual(signals.words(), [word, `${word} cleaned up`])
    for (const future of [running, waiting]) {
      isIn(future, "cancelled")
      await failsWith(future.result(), CancelledError, { reason: "shutdown" })
    }
    assert.deepEqual(notebook.lines(), [])
    assert.equal(executor.stats().workers, 0)
    await failsWith(executor.run(add, 1, 2), ExecutorShutdownError)
  }),
  law("A shutdown() that waits may still be told to terminate", { promises: [14] }, async (trial) => {
    const signals = await trial.signals()
    const word = signals.word()
    const executor = trial.open({ maxWorkers: 1 })
    const running = executor.submit(stopWhenAsked, signals.port, word)
    await signals.heard(word)
    const ended = executor.shutdown()
    await executor.terminate()
    await ended
    isIn(running, "cancelled")
  }),
  law("terminate() while workers still start settles everything", { promises: [5, 14] }, async (trial) => {
    const executor = trial.open({ maxWorkers: 2 })
    const futures = Array.from({ length: 10 }, (_, index) => executor.submit(asynchronous, index))
    await turn()
    await executor.terminate()
    for (const future of futures) {
      const outcome = await outcomeOf(future)
      assert.ok(outcome.status === "fulfilled" || outcome.reason instanceof CancelledError)
    }
    assert.equal(executor.stats().workers, 0)
  }),
  law("terminate() with ten thousand calls in the queue settles them all", { promises: [5, 14] }, async (trial) => {
    const { executor, release } = await busy(trial)
    const futures = Array.from({ length: 10_000 }, () => executor.submit(add, 1, 2))
    const ended = executor.terminate()
    assert.ok(futures.every((future) => future.cancelled()))
    release()
    await ended
  }),
  law("shutdown({ timeout }) lets what runs finish until then, then interrupts it, and cancels the rest", {
    promises: [7, 14]
  }, async (trial) => {
    const signals = await trial.signals()
    const [first, second] = [signals.word(), signals.word()]
    const inTime = trial.open({ maxWorkers: 1 })
    const finishing = inTime.submit(waitFor, signals.port, first)
    await signals.heard(first)
    const ended = inTime.shutdown({ timeout: "15 seconds" })
    signals.release(first)
    await ended
    isIn(finishing, "succeeded")
    const executor = trial.open({ maxWorkers: 1, grace: "15 seconds" })
    const running = executor.submit(stopWhenAsked, signals.port, second)
    const waiting = executor.submit(add, 1, 2)
    await signals.heard(second)
    await executor.shutdown({ timeout: 10 })
    assert.ok(signals.words().includes(`${second} cleaned up`))
    for (const future of [running, waiting]) await failsWith(future.result(), CancelledError, { reason: "shutdown" })
  }),
  law("shutdown({ timeout }) ends the worker of a task that does not listen, after grace", {
    promises: [7, 14],
    needs: ["workers"]
  }, async (trial) => {
    const signals = await trial.signals()
    const word = signals.word()
    const executor = trial.open({ maxWorkers: 1, grace: 10 })
    const running = executor.submit(ignoreAsking, signals.port, word)
    await signals.heard(word)
    await executor.shutdown({ timeout: 10 })
    isIn(running, "cancelled")
    assert.equal(executor.stats().workers, 0)
  }),
  law(
    "What shutdown({ timeout }) forces is told: calls in their futures and stats(), workers to onWorkerExit and stats()",
    {
      promises: [7, 14],
      needs: ["workers"]
    },
    async (trial) => {
      const signals = await trial.signals()
      const shut = async (task: typeof stopWhenAsked | typeof ignoreAsking, grace: number): Promise<unknown> => {
        const exits: Array<WorkerExit> = []
        const word = signals.word()
        const executor = trial.open({ maxWorkers: 1, grace, onWorkerExit: (ended) => exits.push(ended) })
        const running = executor.submit(task, signals.port, word)
        await signals.heard(word)
        const futures = [running, executor.submit(add, 1, 2)]
        await executor.shutdown({ timeout: 10 })
        for (const future of futures) await failsWith(future.result(), CancelledError, { reason: "shutdown" })
        const { cancelled, forced } = executor.stats()
        assert.equal(exits.length, 1)
        assert.equal(exits[0]!.workerId, running.info.workerId)
        return { cancelled, forced, worker: [exits[0]!.reason, exits[0]!.forced] }
      }
      assert.deepEqual(await shut(stopWhenAsked, 15_000), {
        cancelled: 2,
        forced: 0,
        worker: ["stopped", false]
      })
      assert.deepEqual(await shut(ignoreAsking, 10), {
        cancelled: 2,
        forced: 1,
        worker: ["stopped", true]
      })
    }
  ),
  law("The end of an await using block waits for everything", { promises: [14] }, async (trial) => {
    const { port, word, release } = await trial.signals()
    const said = word()
    let futures
    {
      await using executor = trial.open({ maxWorkers: 1 })
      futures = [executor.submit(waitFor, port, said), executor.submit(add, 1, 2)]
      release(said)
    }
    assert.deepEqual(futures.map((future) => future.state), ["succeeded", "succeeded"])
  }),
  law("withExecutor waits when its body succeeds", { promises: [14] }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1 })
    const { future, answer } = await withExecutor(
      executor,
      async () => ({ future: executor.submit(asynchronous, 1), answer: 42 })
    )
    assert.equal(answer, 42)
    isIn(future, "succeeded")
    await failsWith(executor.run(add, 1, 2), ExecutorShutdownError)
  }),
  law(
    "withExecutor cancels and interrupts when its body throws, and throws the same",
    { promises: [7, 14] },
    async (trial) => {
      const signals = await trial.signals()
      const word = signals.word()
      const error = new Error("thrown by the body")
      const executor = trial.open({ maxWorkers: 1 })
      const running = executor.submit(stopWhenAsked, signals.port, word)
      const waiting = executor.submit(add, 1, 2)
      const thrown = await rejection(withExecutor(executor, async () => {
        await signals.heard(word)
        throw error
      }))
      assert.equal(thrown, error)
      isIn(running, "cancelled")
      isIn(waiting, "cancelled")
      assert.deepEqual(signals.words(), [word, `${word} cleaned up`])
    }
  ),
  law("A worker that exits after shutdown() began loses its call, and shutdown still ends", {
    promises: [5, 8, 14],
    needs: ["workers"]
  }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1 })
    const futures = [executor.submit(add, 1, 2), executor.submit(exit, 3), executor.submit(add, 3, 4)]
    await executor.shutdown()
    assert.deepEqual(futures.map((future) => future.state), ["succeeded", "failed", "succeeded"])
  }),
  law("onWorkerExit hears of every worker that ends, once", { promises: [14], needs: ["workers"] }, async (trial) => {
    const exits: Array<WorkerExit> = []
    const executor = trial.open({ maxWorkers: 1, onWorkerExit: (ended) => exits.push(ended) })
    const lost = executor.submit(exit, 3)
    await lost.wait()
    const good = executor.submit(add, 1, 2)
    await good.result()
    await executor.shutdown()
    assert.deepEqual(exits.map(({ reason, workerId }) => ({ reason, workerId })), [
      { reason: "exit", workerId: lost.info.workerId },
      { reason: "stopped", workerId: good.info.workerId }
    ])
    assert.equal(exits[0]!.exitCode, 3)
  })
])
