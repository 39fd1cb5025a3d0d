import { WorkerLostError } from "@futures/core"
import type { WorkerExit } from "@futures/core"
import { ProcessExecutor } from "@futures/process-executor"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"
import { exit } from "./fixtures/ends.ts"

const execArgv = ["--require", fileURLToPath(new URL("./fixtures/hangingExit.cjs", import.meta.url))]

test("A process that hangs in Node's own shutdown is ended, and its exit code is known", async () => {
  const ended: Array<WorkerExit> = []
  await using executor = new ProcessExecutor({ maxWorkers: 1, execArgv, onWorkerExit: (worker) => ended.push(worker) })
  for (const exitCode of [3, 0]) {
    const error = await executor.submit(exit, exitCode).exception()
    expect(error).toBeInstanceOf(WorkerLostError)
    expect(error).toMatchObject({ reason: "exit", exitCode, signal: undefined })
  }
  expect(ended).toMatchObject([{ exitCode: 3, forced: false, reason: "exit" }, {
    exitCode: 0,
    forced: false,
    reason: "exit"
  }])
})
