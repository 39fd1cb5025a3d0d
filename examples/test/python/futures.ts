/** `concurrent.futures` and `asyncio`, row by row. */
import {
  asCompleted,
  BrokenExecutorError,
  CancelledError,
  ExecutorShutdownError,
  gather,
  InvalidStateError,
  NotPortableError,
  Task,
  TaskTimeoutError,
  wait,
  withExecutor,
  WorkerLostError
} from "@futures/core"
import type { Executor, Future } from "@futures/core"
import { ProcessExecutor } from "@futures/process-executor"
import { ThreadExecutor } from "@futures/thread-executor"
import { setTimeout } from "node:timers/promises"
import { expect } from "vitest"
import {
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
import { all, row, running, xs } from "./rows.ts"

// ---- concurrent.futures: executors

row("ThreadPoolExecutor(max_workers=4)", async () => {
  await using executor = new ThreadExecutor({ maxWorkers: 4 })
  const { pid, threadId } = await executor.run(where)
  expect(pid).toBe(process.pid)
  expect(threadId).not.toBe(0)
})

row("ProcessPoolExecutor(max_workers=4)", async () => {
  await using executor = new ProcessExecutor({ maxWorkers: 4 })
  expect((await executor.run(where)).pid).not.toBe(process.pid)
})

row("InterpreterPoolExecutor()", async () => {
  await using executor = new ThreadExecutor()
  expect((await executor.run(where)).threadId).not.toBe(0)
})

row("thread_name_prefix=\"resize\"", async () => {
  await using executor = new ThreadExecutor({ name: "resize" })
  expect((await executor.run(where)).threadName).toMatch(/^resize-\d+$/)
})

row("initializer=set_up, initargs=(\"hello\",)", async () => {
  await using executor = new ThreadExecutor({ initializer: [setUp, "hello"] })
  expect(await executor.run(greet, { name: "ada" })).toBe("hello, ada")
})

row("max_tasks_per_child=2", async () => {
  await using executor = new ProcessExecutor({ maxWorkers: 1, maxTasksPerWorker: 2 })
  const pids: Array<number> = []
  for (let call = 0; call < 4; call++) pids.push((await executor.run(where)).pid)
  expect(pids).toEqual([pids[0], pids[0], pids[2], pids[2]])
  expect(pids[2]).not.toBe(pids[0])
})

row("mp_context=get_context(\"spawn\")", async () => {
  await using executor = new ProcessExecutor({ env: { LANG: "C" }, execArgv: ["--stack-size=900"] })
  expect(await executor.run(square, 3)).toBe(9)
})

row("with ThreadPoolExecutor() as executor:", async () => {
  let job
  {
    await using executor = new ThreadExecutor()
    job = executor.submit(sleep, 5)
  }
  expect(job.successful()).toBe(true)
})

row("executor.submit(pow, 2, 8)", async (executor) => {
  const job = executor.submit(pow, 2, 8)
  expect(await job.result()).toBe(256)
})

row("executor.submit(greet, name=\"ada\")", async (executor) => {
  expect(await executor.submit(greet, { name: "ada" }).result()).toMatch(/, ada$/)
})

row("executor.submit(lambda: 1)", async (executor) => {
  const task = () => 1
  // @ts-expect-error a plain function is not a task
  expect(await executor.submit(task).exception()).toBeInstanceOf(NotPortableError)
  const { one } = Task.module({ url: `${import.meta.url}?${executor.constructor.name}` }, { one: () => 1 })
  expect(one()).toBe(1)
})

row("executor.map(square, xs)", async (executor) => {
  const squares: Array<number> = []
  for await (const n of executor.map(square, xs)) squares.push(n)
  expect(squares).toEqual([1, 4, 9])
})

row("executor.map(pow, xs, ys)", async (executor) => {
  expect(await all(executor.starmap(pow, [[2, 3], [3, 2]]))).toEqual([8, 9])
})

row("executor.map(square, xs, timeout=1)", async (executor) => {
  expect(await all(executor.map(square, xs, { timeout: "1 minute" }))).toEqual([1, 4, 9])
  await expect(all(executor.map(sleep, [200], { timeout: 10 }))).rejects.toMatchObject({ clock: "wait" })
})

row("executor.map(square, xs, chunksize=100)", async (executor) => {
  expect(await all(executor.map(square, xs, { chunkSize: 100 }))).toEqual([1, 4, 9])
})

row("executor.map(square, xs, buffersize=2)", async (executor) => {
  let pulled = 0
  function* endless() {
    for (;; pulled++) yield pulled
  }
  for await (const n of executor.map(square, endless(), { bufferSize: 2 })) if (n === 9) break
  expect(pulled).toBeLessThanOrEqual(6)
})

row("executor.shutdown()", async () => {
  const executor = new ThreadExecutor()
  const job = executor.submit(sleep, 5)
  await executor.shutdown()
  expect(job.successful()).toBe(true)
})

row("executor.shutdown(wait=False)", async () => {
  const executor = new ThreadExecutor()
  const job = executor.submit(sleep, 5)
  void executor.shutdown()
  expect(await job.result()).toBe(5)
})

row("executor.shutdown(cancel_futures=True)", async () => {
  const executor = new ThreadExecutor({ maxWorkers: 1 })
  const jobs = [executor.submit(sleep, 5), executor.submit(sleep, 5)]
  await running(jobs[0]!)
  await executor.shutdown({ cancelPending: true })
  expect(jobs.map((job) => job.state)).toEqual(["succeeded", "cancelled"])
})

row("executor.terminate_workers()", async () => {
  const executor = new ProcessExecutor({ maxWorkers: 1, grace: 10 })
  const job = executor.submit(hold)
  await running(job)
  await executor.terminate()
  expect(job.cancelled()).toBe(true)
})

row("executor.kill_workers()", async () => {
  const executor = new ProcessExecutor({ grace: 0 })
  const job = executor.submit(hold)
  await running(job)
  await executor.terminate()
  expect(job.cancelled()).toBe(true)
})

// ---- concurrent.futures: futures

row("job.result()", async (executor) => {
  const job = executor.submit(square, 3)
  expect(await job.result()).toBe(9)
  await expect(executor.submit(fail).result()).rejects.toBeInstanceOf(OutOfStock)
})

row("job.result(timeout=1)", async (executor) => {
  expect(await executor.submit(square, 3).result({ timeout: "1 minute" })).toBe(9)
  const job = executor.submit(hold)
  await expect(job.result({ timeout: 0 })).rejects.toMatchObject({ _tag: "TaskTimeoutError", clock: "wait" })
  expect(job.done()).toBe(false)
  await job.interrupt({ grace: 10 })
})

row("job.exception()", async (executor) => {
  const job = executor.submit(fail)
  expect(await job.exception()).toBeInstanceOf(OutOfStock)
  expect(await executor.submit(square, 3).exception()).toBeUndefined()
})

row("job.exception(timeout=1)", async (executor) => {
  const job = executor.submit(fail)
  expect(await job.exception({ timeout: "1 minute" })).toBeInstanceOf(OutOfStock)
})

row("job.done()", async (executor) => {
  const job = executor.submit(square, 3)
  expect(job.done()).toBe(false)
  await job.wait()
  expect(job.done()).toBe(true)
})

/** A call that no worker has started: as in Python, an idle worker starts a call at once. */
const behindOthers = (executor: Executor): Future<number> =>
  Array.from({ length: 9 }, (_, n) => executor.submit(square, n)).at(-1)!

row("job.running()", async (executor) => {
  const job = executor.submit(sleep, 50)
  await running(job)
  expect(job.running()).toBe(true)
  await job.wait()
})

row("job.cancel()", async (executor) => {
  const job = behindOthers(executor)
  expect(job.cancel()).toBe(true)
  expect(job.cancel()).toBe(true)
  await expect(job.result()).rejects.toBeInstanceOf(CancelledError)
})

row("job.cancelled()", async (executor) => {
  const job = behindOthers(executor)
  job.cancel()
  expect(job.cancelled()).toBe(true)
  expect((await wait([job])).done.has(job)).toBe(true)
})

row("stopping one that runs", async (executor) => {
  const job = executor.submit(hold)
  await running(job)
  expect(job.cancel()).toBe(false)
  expect(await job.interrupt({ grace: 10 })).toBe(true)
})

row("job.add_done_callback(fn)", async (executor) => {
  const job = executor.submit(square, 3)
  const seen: Array<string> = []
  job.onDone(({ state }) => seen.push(state))
  await job.wait()
  await setTimeout(0)
  expect(seen).toEqual(["succeeded"])
})

row("print(job)", async (executor) => {
  const job = executor.submit(square, 3)
  expect(["pending", "running"]).toContain(job.state)
  await job.wait()
  expect(job.state).toBe("succeeded")
  expect(job.info).toMatchObject({ label: "square", attempt: 1 })
})

row("Future(), set_result(v), set_exception(e), set_running_or_notify_cancel()", async () => {
  const { promise, resolve } = Promise.withResolvers<number>()
  resolve(3)
  expect(await promise).toBe(3)
})

// ---- concurrent.futures: functions

row("wait(jobs)", async (executor) => {
  const jobs = xs.map((x) => executor.submit(square, x))
  const { done, notDone } = await wait(jobs)
  expect([done.size, notDone.size]).toEqual([3, 0])
})

row("wait(jobs, timeout=1)", async (executor) => {
  const job = executor.submit(hold)
  const jobs = [job]
  expect((await wait(jobs, { timeout: 10 })).notDone.size).toBe(1)
  await job.interrupt({ grace: 10 })
})

row("wait(jobs, return_when=ALL_COMPLETED)", async (executor) => {
  const jobs = [executor.submit(square, 3), executor.submit(fail)]
  const { done } = await wait(jobs, { returnWhen: "allCompleted" })
  expect(done.size).toBe(2)
  expect(await jobs[1]!.exception()).toBeInstanceOf(OutOfStock)
})

row("wait(jobs, return_when=FIRST_COMPLETED)", async (executor) => {
  const held = executor.submit(hold)
  const jobs = [held, executor.submit(square, 3)]
  const { done } = await wait(jobs, { returnWhen: "firstCompleted" })
  expect(jobs.map((job) => done.has(job))).toEqual([false, true])
  await held.interrupt({ grace: 10 })
})

row("wait(jobs, return_when=FIRST_EXCEPTION)", async (executor) => {
  const held = executor.submit(hold)
  const jobs = [held, executor.submit(fail)]
  const { done } = await wait(jobs, { returnWhen: "firstException" })
  expect(jobs.map((job) => done.has(job))).toEqual([false, true])
  expect(await jobs[1]!.exception()).toBeInstanceOf(OutOfStock)
  await held.interrupt({ grace: 10 })
})

row("as_completed(jobs)", async (executor) => {
  const jobs = xs.map((x) => executor.submit(square, x))
  const results: Array<number> = []
  for await (const job of asCompleted(jobs)) results.push(await job.result())
  expect(results.toSorted()).toEqual([1, 4, 9])
})

row("a loop that submits more as jobs complete", async (executor) => {
  const jobs = [executor.submit(square, 1)]
  const completing = asCompleted(jobs)
  const results: Array<number> = []
  for await (const done of completing) {
    const n = await done.result()
    results.push(n)
    if (n < 9) {
      const job = executor.submit(square, Math.sqrt(n) + 1)
      completing.add(job)
    }
  }
  expect(results).toEqual([1, 4, 9])
})

row("as_completed(jobs, timeout=1)", async (executor) => {
  const held = executor.submit(hold)
  const jobs = [held]
  await expect(all(asCompleted(jobs, { timeout: 10 }))).rejects.toBeInstanceOf(TaskTimeoutError)
  await held.interrupt({ grace: 10 })
})

// ---- concurrent.futures: errors

row("CancelledError", async (executor) => {
  const job = behindOthers(executor)
  job.cancel()
  await expect(job.exception()).rejects.toBeInstanceOf(CancelledError)
})

row("TimeoutError", async (executor) => {
  const job = executor.submit(hold)
  await expect(job.exception({ timeout: 0 })).rejects.toBeInstanceOf(TaskTimeoutError)
  await job.interrupt({ grace: 10 })
})

row("InvalidStateError", (executor) => {
  const job = executor.submit(square, 3)
  expect(() => job.successful()).toThrow(InvalidStateError)
})

row("BrokenExecutor, BrokenThreadPool, BrokenInterpreterPool", async () => {
  await using executor = new ThreadExecutor({ initializer: [fail] })
  const error = await executor.submit(square, 3).exception()
  expect(error).toBeInstanceOf(BrokenExecutorError)
  expect(error).toMatchObject({ cause: { message: "no more of these" } })
})

row("BrokenProcessPool", async (executor) => {
  expect(await executor.submit(die, 3).exception()).toBeInstanceOf(WorkerLostError)
  expect(await executor.run(square, 3)).toBe(9)
})

row("RuntimeError: cannot schedule new futures after shutdown", async () => {
  const executor = new ThreadExecutor()
  await executor.shutdown()
  expect(await executor.submit(square, 3).exception()).toBeInstanceOf(ExecutorShutdownError)
})

row("PicklingError", async (executor) => {
  const error = await executor.submit(lambda, 3).exception()
  expect(error).toBeInstanceOf(NotPortableError)
})

row("except ZeroDivisionError:", async (executor) => {
  await expect(executor.run(reciprocal, 0)).rejects.toBeInstanceOf(RangeError)
})

// ---- asyncio

row("await asyncio.wrap_future(job)", async (executor) => {
  const job = executor.submit(square, 3)
  expect(await job.result()).toBe(9)
})

row("await loop.run_in_executor(executor, square, 3)", async (executor) => {
  expect(await executor.run(square, 3)).toBe(9)
})

row("await asyncio.to_thread(square, 3)", async () => {
  const result = await withExecutor(new ThreadExecutor(), (executor) => executor.run(square, 3))
  expect(result).toBe(9)
})

row("await asyncio.gather(*jobs)", async (executor) => {
  const jobs = xs.map((x) => executor.submit(square, x))
  expect(await gather(jobs)).toEqual([1, 4, 9])
})
