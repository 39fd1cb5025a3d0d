/** `multiprocessing`, row by row. */
import {
  Executor,
  gather,
  InvalidStateError,
  NotPortableError,
  Task,
  TaskTimeoutError,
  withExecutor,
  WorkerLostError
} from "@futures/core"
import { ProcessExecutor } from "@futures/process-executor"
import { ThreadExecutor } from "@futures/thread-executor"
import { availableParallelism } from "node:os"
import { setTimeout } from "node:timers/promises"
import { expect } from "vitest"
import {
  count,
  die,
  fail,
  greet,
  hold,
  lambda,
  OutOfStock,
  pow,
  reciprocal,
  setUp,
  sleep,
  square,
  where
} from "../../tasks/python.ts"
import { all, pairs, row, xs } from "./rows.ts"

// ---- multiprocessing: pools

row("Pool(4), Pool(processes=4)", async () => {
  await using executor = new ProcessExecutor({ maxWorkers: 4 })
  expect((await executor.run(where)).pid).not.toBe(process.pid)
})

row("ThreadPool(4)", async () => {
  await using executor = new ThreadExecutor({ maxWorkers: 4, minWorkers: 4 })
  await executor.ready()
  expect(executor.stats().workers).toBe(4)
})

row("cpu_count()", () => {
  expect(availableParallelism()).toBeGreaterThan(0)
})

row("Pool(initializer=set_up, initargs=(\"hello\",))", async () => {
  await using executor = new ProcessExecutor({ initializer: [setUp, "hello"] })
  expect(await executor.run(greet, { name: "ada" })).toBe("hello, ada")
})

row("Pool(maxtasksperchild=2)", async () => {
  await using executor = new ProcessExecutor({ maxTasksPerWorker: 2 })
  expect(await executor.run(square, 3)).toBe(9)
})

row("Pool(context=ctx)", async () => {
  await using executor = new ProcessExecutor({ env: { LANG: "C" } })
  expect(await executor.run(square, 3)).toBe(9)
})

row("with Pool() as pool:", async () => {
  const jobs = await withExecutor(new ProcessExecutor(), (executor) => [executor.submit(sleep, 5)])
  expect(jobs[0]!.successful()).toBe(true)
})

row("pool.apply(pow, (2, 8))", async (executor) => {
  expect(await executor.run(pow, 2, 8)).toBe(256)
})

row("pool.apply_async(pow, (2, 8))", async (executor) => {
  const job = executor.submit(pow, 2, 8)
  expect(await job.result()).toBe(256)
})

row("pool.apply_async(greet, (), {\"name\": \"ada\"})", async (executor) => {
  expect(await executor.submit(greet, { name: "ada" }).result()).toMatch(/, ada$/)
})

row("apply_async(..., callback=fn)", async (executor) => {
  let seen: number | undefined
  const fn = (n: number) => seen = n
  await executor.submit(square, 3).result().then(fn)
  expect(seen).toBe(9)
})

row("apply_async(..., error_callback=fn)", async (executor) => {
  let seen: unknown
  const fn = (error: unknown) => seen = error
  await executor.submit(fail).result().catch(fn)
  expect(seen).toBeInstanceOf(OutOfStock)
})

row("pool.map(square, xs)", async (executor) => {
  const squares: Array<number> = []
  for await (const n of executor.map(square, xs)) squares.push(n)
  expect(squares).toEqual([1, 4, 9])
})

row("pool.map(square, xs, chunksize=2)", async (executor) => {
  expect(await all(executor.map(square, xs, { chunkSize: 2 }))).toEqual([1, 4, 9])
})

row("pool.map_async(square, xs)", async (executor) => {
  const squares = gather(xs.map((x) => executor.submit(square, x)))
  expect(await squares).toEqual([1, 4, 9])
})

row("pool.imap(square, xs)", async (executor) => {
  expect(await all(executor.map(square, xs))).toEqual([1, 4, 9])
})

row("imap that goes on after an error", async (executor) => {
  const outcomes = await all(executor.mapSettled(reciprocal, [2, 0, 4]))
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"])
})

row("pool.imap_unordered(square, xs)", async (executor) => {
  const squares = await all(executor.map(square, xs, { ordered: false }))
  expect(squares.toSorted()).toEqual([1, 4, 9])
})

row("it.next(timeout=1)", async (executor) => {
  const it = executor.map(square, xs, { timeout: "1 minute" })
  expect(await it.next()).toEqual({ done: false, value: 1 })
  await it.return?.()
})

row("pool.starmap(pow, pairs)", async (executor) => {
  expect(await all(executor.starmap(pow, pairs))).toEqual([8, 9])
})

row("pool.starmap_async(pow, pairs)", async (executor) => {
  const powers = gather(pairs.map((pair) => executor.submit(pow, ...pair)))
  expect(await powers).toEqual([8, 9])
})

row("pool.close(); pool.join()", async () => {
  const executor = new ProcessExecutor()
  const job = executor.submit(sleep, 5)
  await executor.shutdown()
  expect(job.successful()).toBe(true)
})

row("pool.terminate()", async () => {
  const executor = new ProcessExecutor({ maxWorkers: 1, grace: 10 })
  const jobs = [executor.submit(hold), executor.submit(square, 3)]
  await executor.terminate()
  expect(jobs.map((job) => job.state)).toEqual(["cancelled", "cancelled"])
})

// ---- multiprocessing: AsyncResult and the rest

row("job.get()", async (executor) => {
  const job = executor.submit(square, 3)
  expect(await job.result()).toBe(9)
})

row("job.get(timeout=1)", async (executor) => {
  const job = executor.submit(square, 3)
  expect(await job.result({ timeout: "1 minute" })).toBe(9)
})

row("job.wait()", async (executor) => {
  const job = executor.submit(fail)
  expect(await job.wait()).toBe(true)
  expect(await job.exception()).toBeInstanceOf(OutOfStock)
})

row("job.wait(0.1)", async (executor) => {
  const job = executor.submit(hold)
  expect(await job.wait({ timeout: 100 })).toBe(false)
  await job.interrupt({ grace: 10 })
})

row("job.ready()", async (executor) => {
  const job = executor.submit(square, 3)
  expect(job.done()).toBe(false)
  await job.wait()
})

row("job.successful()", async (executor) => {
  const job = executor.submit(square, 3)
  expect(() => job.successful()).toThrow(InvalidStateError)
  await job.wait()
  expect(job.successful()).toBe(true)
})

row("multiprocessing.TimeoutError", async (executor) => {
  const job = executor.submit(hold)
  await expect(job.result({ timeout: 0 })).rejects.toBeInstanceOf(TaskTimeoutError)
  await job.interrupt({ grace: 10 })
})

row("MaybeEncodingError", async (executor) => {
  const error = await executor.submit(lambda, 3).exception()
  expect(error).toBeInstanceOf(NotPortableError)
  expect(error).toMatchObject({ side: "result" })
})

row("a worker that is killed", async (executor) => {
  const error = await executor.submit(die, 9).exception()
  expect(error).toBeInstanceOf(WorkerLostError)
  expect(error).toMatchObject({ exitCode: 9 })
})

row("shared_memory, Array, Value", async () => {
  await using executor = new ThreadExecutor()
  const shared = new Int32Array(new SharedArrayBuffer(4))
  await gather(xs.map(() => executor.submit(count, shared)))
  expect(shared[0]).toBe(3)
})

row("current_process()._identity", async (executor) => {
  expect((await executor.run(where)).workerNumber).toBeGreaterThanOrEqual(0)
  expect(Task.current()?.workerNumber).toBeUndefined()
})

row("os.getpid(), current_process().name", async (executor) => {
  const { pid, threadId, workerId } = await executor.run(where)
  expect([pid, threadId]).toContain(workerId)
  expect(Task.current()?.workerId).toBeUndefined()
})

row("time.sleep(1)", async (executor) => {
  expect(await executor.run(sleep, 5)).toBe(5)
  const held = executor.submit(sleep, 5)
  await setTimeout(1)
  await held.wait()
})

row("if __name__ == \"__main__\":", async (executor) => {
  expect(await executor.run(square, 3)).toBe(9)
})

row("executors chosen by name", async () => {
  const backends = { thread: ThreadExecutor, process: ProcessExecutor }
  await using executor = Executor.open(backends, { backend: "process" })
  expect(executor).toBeInstanceOf(ProcessExecutor)
})
