/** A process whose heap is full says so, though it ends as one that aborts. */
import { BrokenExecutorError, WorkerLostError } from "@futures/core"
import { ProcessExecutor } from "@futures/process-executor"
import { expect, test } from "vitest"
import { abort, hoard } from "./fixtures/ends.ts"

const smallHeap = { maxWorkers: 1, execArgv: ["--max-old-space-size=40"] }

test("A process that runs out of memory is lost for that reason, with what Node said of it", async () => {
  await using executor = new ProcessExecutor(smallHeap)
  const error = await executor.submit(hoard).exception()
  expect(error).toBeInstanceOf(WorkerLostError)
  expect(error).toMatchObject({ reason: "out-of-memory", signal: "SIGABRT" })
  expect((error as WorkerLostError).cause).toMatchObject({
    code: "ERR_WORKER_OUT_OF_MEMORY",
    message: expect.stringContaining("heap out of memory")
  })
})

test("A process that aborts did not run out of memory", async () => {
  await using executor = new ProcessExecutor(smallHeap)
  const error = await executor.submit(abort).exception()
  expect(error).toMatchObject({ reason: "signal", signal: "SIGABRT" })
  expect((error as WorkerLostError).cause).toBeUndefined()
})

test("An initializer that runs out of memory breaks the executor, and the cause says so", async () => {
  await using executor = new ProcessExecutor({ ...smallHeap, initializer: [hoard] })
  const error = await executor.submit(abort).exception()
  expect(error).toBeInstanceOf(BrokenExecutorError)
  expect((error as BrokenExecutorError).cause).toMatchObject({ code: "ERR_WORKER_OUT_OF_MEMORY" })
})
