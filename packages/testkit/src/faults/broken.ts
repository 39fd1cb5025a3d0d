/** Broken, not endless: what cannot start or cannot be loaded fails, with the cause, after a few attempts. */
import {
  BrokenExecutorError,
  CancelledError,
  InvalidStateError,
  Task,
  TaskNotFoundError,
  TaskTimeoutError,
  WorkerLostError
} from "@futures/core"
import type { Executor, ExecutorOptions, WorkerExit } from "@futures/core"
import assert from "node:assert/strict"
import { failsWith, isError, isIn, turn } from "../expect.ts"
import { law, laws } from "../Law.ts"
import { identity } from "../tasks.ts"
import { waitFor } from "../tasksSignals.ts"
import type { Trial } from "../Trial.ts"
import { answerAndReject, leaveBehind, runLater } from "./tasks.ts"

/** Sources run as they are, and built ones as JavaScript. */
const extension = import.meta.url.endsWith(".ts") ? "ts" : "js"

const needs = ["workers"] as const

/** A module, as a URL, of this text. */
const moduleOf = (text: string): string => `data:text/javascript,${encodeURIComponent(text)}`

/** A worker is started so often before it counts as one that cannot start. */
const STARTS = 3

/** Every call fails with the cause, later ones at once, and the executor ends. */
const isBroken = async (executor: Executor): Promise<ReadonlyArray<unknown>> => {
  const futures = Array.from({ length: 20 }, (_, index) => executor.submit(identity, index))
  const causes: Array<unknown> = []
  for (const future of futures) {
    const { cause } = await failsWith(future.result(), BrokenExecutorError)
    causes.push(cause)
  }
  const late = executor.submit(identity, "late")
  isIn(late, "failed")
  causes.push((await failsWith(late.result({ timeout: 0 }), BrokenExecutorError)).cause)
  await executor.shutdown()
  const { pending, running, workers } = executor.stats()
  assert.deepEqual({ pending, running, workers }, { pending: 0, running: 0, workers: 0 })
  return causes
}

/** What is loaded before a worker's entry says that it was started, and goes on with `rest`. */
const starting = (path: string, rest: string): ExecutorOptions => ({
  execArgv: [
    "--import",
    moduleOf(`import { appendFileSync } from "node:fs"
appendFileSync(${JSON.stringify(path)}, "started\\n")
${rest}`)
  ]
})

const startLaw = (name: string, rest: string, options: ExecutorOptions = {}) =>
  law(name, { promises: [9], needs }, async (trial) => {
    const notebook = trial.notebook()
    const executor = trial.open({ maxWorkers: 1, grace: 50, ...starting(notebook.path, rest), ...options })
    for (const cause of await isBroken(executor)) assert.ok(cause instanceof Error)
    const starts = notebook.lines().length
    assert.ok(starts <= STARTS, `${starts} starts`)
  })

/** The calls of a module that does not load fail; those of others do not, on the same worker. */
const notLoaded = async (trial: Trial, url: URL): Promise<TaskNotFoundError> => {
  const { task } = Task.from<{ task: () => number }>(url)
  const futures = [trial.single.submit(task), trial.single.submit(identity, 1), trial.single.submit(task)]
  const error = await failsWith(futures[0]!.result(), TaskNotFoundError, { module: url.href, task: "task" })
  await failsWith(futures[2]!.result(), TaskNotFoundError, { module: url.href, task: "task" })
  assert.equal(await futures[1]!.result(), 1)
  return error
}

const neverLoads = (): Task.Of<() => number> =>
  Task.from<{ task: () => number }>(
    new URL(moduleOf("setInterval(() => {}, 1000); await new Promise(() => {}); export const task = () => 1"))
  ).task

/** Laws about workers that cannot start: they break the executor, with the cause, and are not tried without end. */
export const broken = laws("broken, not endless", [
  startLaw("Workers whose entry throws break the executor after a few starts", "throw new RangeError('no entry')"),
  startLaw("Workers that exit before they are ready break the executor after a few starts", "process.exit(0)"),
  startLaw(
    "Workers whose start hangs in a loop break the executor after a few starts",
    "for (;;) ;",
    { startTimeout: 300 }
  ),
  startLaw(
    "Workers whose start waits for ever break the executor after a few starts",
    "setInterval(() => {}, 1000); await new Promise(() => {})",
    { startTimeout: 300 }
  ),
  law("Workers that cannot be born break the executor", { promises: [9], needs }, async (trial) => {
    for (const cause of await isBroken(trial.open({ maxWorkers: 1, execArgv: ["--no-such-argument"] }))) {
      assert.ok(cause instanceof Error)
    }
  }),
  law("Many workers that cannot start break the executor no later and start no storm", { promises: [9], needs }, async (
    trial
  ) => {
    const notebook = trial.notebook()
    const maxWorkers = 8
    await isBroken(trial.open({ maxWorkers, ...starting(notebook.path, "process.exit(4)") }))
    const starts = notebook.lines().length
    assert.ok(starts <= STARTS * maxWorkers, `${starts} starts`)
  }),
  law(
    "Workers that fail to start now and then do not break the executor",
    { promises: [8, 9], needs },
    async (trial) => {
      const notebook = trial.notebook()
      const path = JSON.stringify(notebook.path)
      const first = `import { readFileSync } from "node:fs"
if (readFileSync(${path}, "utf8").split("\\n").length === 2) process.exit(1)`
      const executor = trial.open({ maxWorkers: 1, ...starting(notebook.path, first) })
      assert.equal(await executor.run(identity, 1), 1)
      assert.equal(notebook.lines().length, 2)
    }
  ),
  law("A task module that is missing fails its own calls", { promises: [8], needs }, async (trial) => {
    const { cause } = await notLoaded(trial, new URL("file:///no/such/module.js"))
    assert.equal((cause as NodeJS.ErrnoException).code, "ERR_MODULE_NOT_FOUND")
  }),
  law("A task module that does not parse fails its own calls", { promises: [8], needs }, async (trial) => {
    const { cause } = await notLoaded(trial, new URL(moduleOf("export const task = (")))
    assert.ok(cause instanceof SyntaxError)
  }),
  law("A task module that throws while loading fails its own calls", { promises: [8], needs }, async (trial) => {
    const { cause } = await notLoaded(trial, new URL(moduleOf("throw new RangeError('not today')")))
    assert.ok(cause instanceof RangeError)
    assert.equal(cause.message, "not today")
  }),
  law("A task module without the task fails the calls of that task", { promises: [8], needs }, async (trial) => {
    const { cause } = await notLoaded(trial, new URL(moduleOf("export const other = () => 1")))
    assert.equal(cause, undefined)
  }),
  law("A task module that hands in its own tasks as it loads fails its calls, and starts no workers of its own", {
    promises: [8],
    needs
  }, async (trial) => {
    const { cause } = await notLoaded(trial, new URL(`./tasksEndless.${extension}`, import.meta.url))
    assert.ok(cause instanceof InvalidStateError)
  }),
  law("Loading a task's module is no run time: a slow module does not exceed the timeout of its calls", {
    promises: [13]
  }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1, grace: 50 })
    const { double } = Task.from<{ double: (n: number) => number }>(
      new URL(`./tasksSlowToLoad.${extension}`, import.meta.url)
    )
    const futures = [1, 2, 3].map((n) => executor.submit(Task.with(double, { timeout: 300 }), n))
    assert.deepEqual(await Promise.all(futures.map((future) => future.result())), [2, 4, 6])
    assert.equal(executor.stats().forced, 0)
  }),
  law("A task module that never finishes loading is ended by startTimeout, with a timeout of its own", {
    promises: [7, 13],
    needs
  }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1, grace: 50, startTimeout: 3_000 })
    const loading = executor.submit(neverLoads())
    const other = executor.submit(identity, 1)
    await failsWith(loading.result(), TaskTimeoutError, { clock: "load", after: 3_000 })
    assert.equal(await other.result(), 1)
  }),
  law("A task module that never finishes loading is ended by interrupt", { promises: [7], needs }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1, grace: 50 })
    const loading = executor.submit(neverLoads())
    while (!loading.running()) await turn()
    const other = executor.submit(identity, 1)
    assert.equal(await loading.interrupt(), true)
    await failsWith(loading.result(), CancelledError, { reason: "interrupt" })
    assert.equal(await other.result(), 1)
  }),
  law("An error that nobody catches fails what ran there, with that error as the cause", {
    promises: [8],
    needs
  }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1 })
    const lost = executor.submit(runLater, "throws")
    const other = executor.submit(identity, 1)
    const { cause } = await failsWith(lost.result(), WorkerLostError, { reason: "uncaught" })
    assert.ok(cause instanceof RangeError)
    assert.equal(cause.message, "thrown while nobody looks")
    assert.equal(await other.result(), 1)
  }),
  law(
    "An error that a settled call leaves behind fails no other call: the worker finishes those, is replaced, and onWorkerExit names the call",
    { promises: [5, 8], needs },
    async (trial) => {
      const signals = await trial.signals()
      for (const way of ["rejects", "throws"] as const) {
        const { promise: ended, resolve } = Promise.withResolvers<WorkerExit>()
        const executor = trial.open({ maxWorkers: 1, onWorkerExit: resolve })
        const [word, other] = [signals.word(), signals.word()]
        const left = executor.submit(Task.with(leaveBehind, { label: "careless" }), signals.port, word, way)
        assert.equal(await left.result(), word)
        await signals.heard(word)
        const next = executor.submit(waitFor, signals.port, other)
        await signals.heard(other)
        signals.release(word)
        await signals.heard(`${word} failed`)
        signals.release(other)
        assert.equal(await next.result(), other)
        const { cause, leftBehindBy, reason, workerId } = await ended
        assert.equal(reason, "uncaught")
        assert.equal(workerId, next.info.workerId)
        isError(cause, RangeError, { message: word })
        assert.deepEqual(leftBehindBy, { id: left.info.id, label: "careless" })
        assert.equal(await executor.run(identity, "later"), "later")
      }
    }
  ),
  law("An error after a call has settled does not touch its result, and is told to onWorkerExit", {
    promises: [5, 8],
    needs
  }, async (trial) => {
    const { promise: ended, resolve } = Promise.withResolvers<WorkerExit>()
    const executor = trial.open({ maxWorkers: 1, onWorkerExit: resolve })
    const answered = executor.submit(answerAndReject, "answered")
    assert.equal(await answered.result(), "answered")
    const { cause, reason, workerId } = await ended
    assert.equal(reason, "uncaught")
    assert.equal(workerId, answered.info.workerId)
    isError(cause, RangeError, { message: "nobody waits for it" })
    isIn(answered, "succeeded")
    assert.equal(await answered.result(), "answered")
    assert.equal(await executor.run(identity, "later"), "later")
  })
])
