/** How workers exit: in order, with time for what they have left to do. */
import type { WorkerExit } from "@futures/core"
import { WorkerLostError } from "@futures/core"
import assert from "node:assert/strict"
import { failsWith } from "../expect.ts"
import { law, laws } from "../Law.ts"
import { add, exit } from "../tasks.ts"
import { hangAtExit, useResource, writeAtExit } from "../tasksExit.ts"

/** Longer than `grace` is in these laws. */
const SLOW_MS = 60

/** The text of the next warning of this library that contains a word. */
const warning = (word: string): Promise<string> =>
  new Promise((resolve) => {
    const listen = (warned: Error): void => {
      if (warned.name !== "FuturesWarning" || !warned.message.includes(word)) return
      process.off("warning", listen)
      resolve(warned.message)
    }
    process.on("warning", listen)
  })

export const exits = laws("exits", [
  law("shutdown() waits for finalizers that take longer than grace", { promises: [14] }, async (trial) => {
    const notebook = trial.notebook()
    const executor = trial.open({ maxWorkers: 1, grace: 5 })
    await executor.run(useResource, notebook.path, "closed", SLOW_MS)
    await executor.shutdown()
    assert.deepEqual(notebook.lines(), ["closed"])
    assert.equal(executor.stats().forced, 0)
  }),
  law("shutdown() waits for exit hooks that take longer than grace, and runs finalizers before them", {
    promises: [14],
    needs: ["workers"]
  }, async (trial) => {
    const notebook = trial.notebook()
    const executor = trial.open({ maxWorkers: 1, grace: 5 })
    await executor.run(writeAtExit, notebook.path, "exited", SLOW_MS)
    await executor.run(useResource, notebook.path, "closed", SLOW_MS)
    await executor.shutdown()
    assert.deepEqual(notebook.lines(), ["closed", "exited"])
    assert.equal(executor.stats().forced, 0)
  }),
  law("Workers that are idle, or have run maxTasksPerWorker calls, run finalizers and exit hooks", {
    promises: [14],
    needs: ["workers"]
  }, async (trial) => {
    for (const options of [{ idleTimeout: 10 }, { maxTasksPerWorker: 2 }]) {
      const notebook = trial.notebook()
      const ended = Promise.withResolvers<WorkerExit>()
      const executor = trial.open({ maxWorkers: 1, grace: 5, onWorkerExit: ended.resolve, ...options })
      const calls = [
        executor.submit(writeAtExit, notebook.path, "exited", SLOW_MS),
        executor.submit(useResource, notebook.path, "closed", SLOW_MS)
      ]
      await Promise.all(calls.map((call) => call.result()))
      const { forced, reason } = await ended.promise
      assert.deepEqual({ forced, reason, lines: notebook.lines() }, {
        forced: false,
        reason: "stopped",
        lines: ["closed", "exited"]
      })
    }
  }),
  law("A worker that does not exit within exitTimeout is ended by force, with a warning that names it", {
    promises: [14],
    needs: ["workers"]
  }, async (trial) => {
    const ended: Array<WorkerExit> = []
    const executor = trial.open({ maxWorkers: 1, exitTimeout: 30, onWorkerExit: (worker) => ended.push(worker) })
    const call = executor.submit(hangAtExit)
    await call.result()
    const warned = warning("exitTimeout")
    await executor.shutdown()
    assert.ok((await warned).includes(`Worker ${call.info.workerId} of executor`))
    assert.deepEqual(ended.map(({ forced, reason }) => ({ forced, reason })), [{ forced: true, reason: "stopped" }])
    assert.equal(executor.stats().forced, 1)
  }),
  law("A call whose worker exits and hangs in an exit hook is lost after exitTimeout, with the exit code", {
    promises: [8, 14],
    needs: ["workers"]
  }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1, exitTimeout: 30 })
    await executor.run(hangAtExit)
    const warned = warning("exitTimeout")
    const [lost, next] = [executor.submit(exit, 7), executor.submit(add, 1, 2)]
    await failsWith(lost.result(), WorkerLostError, { reason: "exit", exitCode: 7, signal: undefined })
    assert.ok((await warned).includes(`Worker ${lost.info.workerId} of executor`))
    assert.equal(await next.result(), 3)
  })
])
