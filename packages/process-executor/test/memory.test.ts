/** A process whose heap is full says so, though it ends as one that aborts. */
import { BrokenExecutorError, PoisonTaskError, Task, WorkerLostError } from "@futures/core"
import { ProcessExecutor } from "@futures/process-executor"
import { expect, test } from "vitest"
import { abort, hoard } from "./fixtures/ends.ts"
import { count, lengthOf, make, small } from "./fixtures/rows.ts"

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

/** Does not fit into the heap of these workers. */
const rows = Array.from({ length: 700_000 }, (_, n) => ({ n, name: `row ${n}` }))

test("A call whose argument does not fit into the heap of its worker fails after three workers, and the next runs", async () => {
  let lost = 0
  await using executor = new ProcessExecutor({ ...smallHeap, onWorkerExit: () => lost++ })
  const large = executor.submit(count, rows)
  const behind = executor.submit(small, 2)
  expect(await behind.result()).toBe(2)
  expect(await large.exception()).toMatchObject({
    _tag: "WorkerLostError",
    reason: "out-of-memory",
    message: expect.stringContaining("before task \"count\" started, 3 times")
  })
  expect(lost).toBe(3)
})

test("The same call with retry is poison after three workers", async () => {
  await using executor = new ProcessExecutor(smallHeap)
  const error = await executor.submit(Task.with(count, { retry: 5 }), rows).exception()
  expect(error).toBeInstanceOf(PoisonTaskError)
  expect(error).toMatchObject({ attempts: 3, cause: { _tag: "WorkerLostError", reason: "out-of-memory" } })
})

test("An item that does not fit into the heap fails alone, and the other items of its chunk have results", async () => {
  await using executor = new ProcessExecutor(smallHeap)
  const settled: Array<unknown> = []
  for await (const outcome of executor.mapSettled(count, [[1], rows, [1, 2], []], { chunkSize: 4 })) {
    settled.push(outcome.status === "fulfilled" ? outcome.value : (outcome.reason as WorkerLostError).reason)
  }
  expect(settled).toEqual([1, "out-of-memory", 2, 0])
})

test("Arguments and results of more than 1 GiB fail their own call with the size and the limit, and cost no worker", async () => {
  let lost = 0
  await using executor = new ProcessExecutor({ maxWorkers: 1, onWorkerExit: () => lost++ })
  const bytes = 2 ** 30 + 8
  const there = executor.submit(lengthOf, new Uint8Array(bytes))
  const back = executor.submit(make, bytes)
  const behind = executor.submit(small, 2)
  expect(await there.exception()).toMatchObject({
    _tag: "NotPortableError",
    side: "argument",
    path: "args[0]",
    message: expect.stringMatching(`${bytes} bytes.*1 GiB`)
  })
  expect(await back.exception()).toMatchObject({ _tag: "NotPortableError", side: "result", path: "result" })
  expect(await behind.result()).toBe(2)
  expect(lost).toBe(0)
})
