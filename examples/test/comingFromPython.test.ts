/**
 * `docs/coming-from-python.md`: each row of its tables is a row here, under the same name, and the code in its second column stands in the row as it
 * is on the page.
 */
import {
  asCompleted,
  BrokenExecutorError,
  CancelledError,
  Executor,
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
import { ProcessExecutor } from "@futures/process-executor"
import { ThreadExecutor } from "@futures/thread-executor"
import { globSync, readFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { setTimeout } from "node:timers/promises"
import { afterAll, describe, expect, test } from "vitest"
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
} from "../tasks/python.ts"

const folder = new URL("../..", import.meta.url).pathname
const page = readFileSync(`${folder}docs/coming-from-python.md`, "utf8")
const source = readFileSync(new URL(import.meta.url), "utf8")

const rows = new Map<string, (executor: Executor) => Promise<void> | void>()
/** What the page says in the row that begins with these words of Python. */
const row = (python: string, check: (executor: Executor) => Promise<void> | void): void => {
  if (rows.has(python)) throw new Error(`Two rows for ${python}`)
  rows.set(python, check)
}

const xs = [1, 2, 3]
const pairs: Array<[number, number]> = [[2, 3], [3, 2]]

const all = async <A>(results: AsyncIterable<A>): Promise<Array<A>> => {
  const found: Array<A> = []
  for await (const result of results) found.push(result)
  return found
}

const running = async (job: { readonly running: () => boolean }): Promise<void> => {
  while (!job.running()) await setTimeout(1)
}

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

row("job.running()", async (executor) => {
  const job = executor.submit(sleep, 50)
  expect(job.running()).toBe(false)
  await running(job)
  expect(job.running()).toBe(true)
  await job.wait()
})

row("job.cancel()", async (executor) => {
  const job = executor.submit(square, 3)
  expect(job.cancel()).toBe(true)
  expect(job.cancel()).toBe(true)
  await expect(job.result()).rejects.toBeInstanceOf(CancelledError)
})

row("job.cancelled()", async (executor) => {
  const job = executor.submit(square, 3)
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
  expect(job.state).toBe("pending")
  await job.wait()
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

row("as_completed(jobs, timeout=1)", async (executor) => {
  const held = executor.submit(hold)
  const jobs = [held]
  await expect(all(asCompleted(jobs, { timeout: 10 }))).rejects.toBeInstanceOf(TaskTimeoutError)
  await held.interrupt({ grace: 10 })
})

// ---- concurrent.futures: errors

row("CancelledError", async (executor) => {
  const job = executor.submit(square, 3)
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

// ---- the page

const unquote = (cell: string): string => cell.replaceAll("`", "").replaceAll("\\_", "_").trim()
const flat = (text: string): string =>
  text.replaceAll(/\s+/g, " ").replaceAll(/([([{]) | ([)\]}])|,(?= ?[)\]}])/g, "$1$2")

/** Rows of the tables whose first column is Python. */
const onPage = page.split(/\n(?=\| Python )/).slice(1).flatMap((table) =>
  table.split("\n").slice(2).filter((_, index, lines) =>
    lines.slice(0, index + 1).every((line) => line.startsWith("|"))
  )
    .map((line) => line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "").trim()))
    .map(([python, ours]) => ({
      python: unquote(python!),
      code: [...ours!.matchAll(/`([^`]+)`/g)].map(([, code]) => code!)
    }))
)

const textOf = (python: string): string => {
  const start = source.indexOf(`row(${JSON.stringify(python)}, `)
  return source.slice(start, source.indexOf("\n})", start))
}

describe("docs/coming-from-python.md", () => {
  test("has the rows that are here, in the same order", () => {
    expect(onPage.map(({ python }) => python)).toEqual([...rows.keys()])
  })

  test.for(onPage)("$python: the code on the page is the code that is run", ({ code, python }) => {
    expect(code).not.toEqual([])
    for (const each of code) expect(flat(textOf(python))).toContain(flat(each))
  })

  // What `dir()` says of them in CPython 3.14, without the names that begin with an underscore.
  test.for([
    "ALL_COMPLETED BrokenExecutor CancelledError FIRST_COMPLETED FIRST_EXCEPTION Future InterpreterPoolExecutor",
    "InvalidStateError ProcessPoolExecutor ThreadPoolExecutor TimeoutError as_completed wait",
    "add_done_callback cancel cancelled done exception result running set_exception set_result",
    "set_running_or_notify_cancel map shutdown submit kill_workers terminate_workers buffersize chunksize timeout",
    "max_workers thread_name_prefix initializer initargs mp_context max_tasks_per_child cancel_futures return_when",
    "Pool ThreadPool apply apply_async close imap imap_unordered join map map_async starmap starmap_async terminate",
    "processes maxtasksperchild context callback error_callback get ready successful next"
  ].flatMap((words) => words.split(" ")))("has a row for %s", (word) => {
    expect(onPage.filter(({ python }) => new RegExp(`(?<!\\w)${word}(?!\\w)`).test(python))).not.toEqual([])
  })

  test("has every word of the tutorial that the examples retell", () => {
    // That of a cluster retells ipyparallel, which has its place in docs/cluster.md.
    const pools = globSync(`${folder}examples/[0-9]*.ts`).filter((file) => !file.endsWith("cluster.ts"))
    const tutorial = pools.flatMap((file) =>
      readFileSync(file, "utf8").split("\n\n")[0]!.split("\n").filter((line) => /^\/\/ (Python:|  )/.test(line))
    )
    const called = tutorial.flatMap((line) =>
      [...line.matchAll(/(?<=\.|\b)(\w+)(?=\()|\b[A-Z]+_[A-Z]+\b/g)].map(([word]) => word)
    )
    // Not of executors: the language, and the functions that the tutorial runs.
    const others = ["who", "print", "range", "time", "square", "fetch_user", "EXECUTOR_BACKEND"]
    const words = [...new Set(called)].filter((word) => !others.includes(word))
    expect(words.length).toBeGreaterThan(10)
    expect(words.filter((word) => !onPage.some(({ python }) => new RegExp(`(?<!\\w)${word}(?!\\w)`).test(python))))
      .toEqual([])
  })
})

const own = [...rows].filter(([, check]) => check.length === 0)
const given = [...rows].filter(([, check]) => check.length > 0)

describe.concurrent("coming from Python, with executors of their own", () => {
  test.for(own)("%s", ([, check]) => check(undefined as never))
})

describe.each([ThreadExecutor, ProcessExecutor])("coming from Python to $name", (Backend) => {
  const executor = new Backend({ maxWorkers: 2 })
  afterAll(() => executor.terminate())
  test.for(given)("%s", ([, check]) => check(executor))
})
