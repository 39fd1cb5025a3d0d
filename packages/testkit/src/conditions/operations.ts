/**
 * The columns of the condition grid: what a program does with an executor while a condition holds, and what must come of it. They are run by a law itself,
 * or by a program of its own (`program.ts`) that the law stops and continues.
 */
import { Task } from "@futures/core"
import type { Executor, ExecutorOptions, WorkerExit } from "@futures/core"
import { cleanUp, count, failFirst, failOdd, quick, who, work } from "./tasks.ts"
import type { Work } from "./tasks.ts"

/** The names of the operations. */
export type OperationName = "submit" | "map" | "mapSettled" | "stream" | "interrupt" | "timeout" | "retry"

/** What an operation needs besides an executor. Plain data, except for the callback. */
export interface Stage {
  /** The file in which tasks note their runs. */
  readonly path: string
  /** Where tasks say their cue. */
  readonly port: number
  /** The cue. */
  readonly word: string
  /** A run time-out (ms) that no run comes near, though the caller stands still for longer; `undefined` for none. */
  readonly timeout: number | undefined
  /** Called with each result that the program takes, before it goes on. */
  readonly onResult: () => void
}

/** One column. */
export interface Operation {
  readonly name: OperationName
  /** Performs it. Returns what came of it, as data. */
  readonly perform: (executor: Executor, stage: Stage) => Promise<unknown>
  /** What must come of it. */
  readonly expected: unknown
  /** The runs that tasks must have noted, in any order. */
  readonly runs: ReadonlyArray<string>
}

/** What came of an operation, as data. */
export interface Performed {
  readonly outcome: unknown
  /** Why workers ended that were not asked to. */
  readonly losses: ReadonlyArray<string>
  readonly forced: number
}

/** How long each run of a task takes (ms). */
const RUN_MS = 100
/** How long a task may take to stop (ms): shorter than any standstill, longer than it needs. */
const GRACE_MS = 400

const range = (length: number): Array<number> => Array.from({ length }, (_, index) => index)

const workOf = (stage: Stage, line: number | string, hasCue: boolean, ms = RUN_MS): Work => ({
  path: stage.path,
  line: String(line),
  ms,
  cue: hasCue ? { port: stage.port, word: stage.word } : undefined
})

const options = (stage: Stage) => stage.timeout === undefined ? {} : { timeout: stage.timeout }

/** How a call failed, in words that hold no ids. */
const inWords = (error: unknown): string => {
  const { clock, message, name, reason } = error as Error & { readonly clock?: string; readonly reason?: string }
  return `${name}: ${clock ?? reason ?? message}`
}

const settled = (promise: Promise<unknown>): Promise<unknown> => promise.catch(inWords)

export const operations: ReadonlyArray<Operation> = [
  {
    name: "submit",
    perform: async (executor, stage) => {
      const long = range(4).map((line) => executor.submit(work, workOf(stage, line, line === 0)))
      const short = range(100).map((n) => executor.submit(quick, n))
      const seen: Array<unknown> = []
      for (const future of long) {
        seen.push(await settled(future.result()))
        stage.onResult()
      }
      let sum = 0
      for (const future of short) sum += await future.result()
      return [...seen, sum]
    },
    expected: ["0", "1", "2", "3", 5_050],
    runs: ["0", "1", "2", "3"]
  },
  {
    name: "map",
    perform: async (executor, stage) => {
      const items = range(12).map((line) => workOf(stage, line, line === 3, 20))
      const seen: Array<unknown> = []
      for await (const value of executor.map(work, items)) {
        seen.push(value)
        stage.onResult()
      }
      return seen
    },
    expected: range(12).map(String),
    runs: range(12).map(String)
  },
  {
    name: "mapSettled",
    perform: async (executor, stage) => {
      // Its cue is part of the run time, so it comes before the first result, at which the caller may begin to compute.
      const items = range(12).map((line) => workOf(stage, line, line === 0, 20))
      const seen: Array<unknown> = []
      for await (const outcome of executor.mapSettled(failOdd, items, { itemTimeout: stage.timeout })) {
        seen.push(outcome.status === "fulfilled" ? outcome.value : inWords(outcome.reason))
        stage.onResult()
      }
      return seen
    },
    expected: range(12).map((n) => n % 2 === 0 ? String(n) : `RangeError: ${n}`),
    runs: range(12).map(String)
  },
  {
    name: "stream",
    perform: async (executor, stage) => {
      const seen: Array<number> = []
      for await (const item of executor.stream(count, workOf(stage, "item ", true, 10))) {
        seen.push(item)
        stage.onResult()
      }
      return seen
    },
    expected: range(12),
    runs: range(12).map((item) => `item ${item}`)
  },
  {
    name: "interrupt",
    perform: async (executor, stage) => {
      const future = executor.submit(cleanUp, workOf(stage, "cleaned up", true))
      for await (const _ of future.progress()) break
      const hasStopped = await future.interrupt()
      stage.onResult()
      return [hasStopped, await settled(future.result()), await executor.run(quick, 1)]
    },
    expected: [true, "CancelledError: interrupt", 2],
    runs: ["cleaned up"]
  },
  {
    name: "timeout",
    perform: async (executor, stage) => {
      const patient = Task.with(work, options(stage))
      const futures = range(6).map((line) => executor.submit(patient, workOf(stage, line, line === 0)))
      const seen: Array<unknown> = []
      for (const future of futures) {
        seen.push(await settled(future.result()))
        stage.onResult()
      }
      // One that does run for too long: the clock has not merely stopped.
      const late = executor.submit(Task.with(cleanUp, { timeout: 50 }), workOf({ ...stage, port: 0 }, "late", false, 0))
      return [...seen, await settled(late.result())]
    },
    expected: [...range(6).map(String), "TaskTimeoutError: run"],
    runs: [...range(6).map(String), "late"]
  },
  {
    name: "retry",
    perform: async (executor, stage) => {
      const again = Task.with(failFirst, { ...options(stage), retry: 2 })
      const futures = range(2).map((line) => executor.submit(again, workOf(stage, line, line === 0)))
      const seen: Array<unknown> = []
      for (const future of futures) {
        seen.push(await settled(future.result()))
        stage.onResult()
      }
      return [...seen, ...futures.map(({ info }) => info.attempt)]
    },
    expected: ["0", "1", 2, 2],
    runs: range(2).flatMap((line) => [`${line} attempt 1`, `${line} attempt 2`])
  }
]

/** Performs an operation on an executor of its own, which it shuts down. */
export const perform = async (
  operation: Operation,
  stage: Stage,
  open: (options: ExecutorOptions) => Executor
): Promise<Performed> => {
  const losses: Array<string> = []
  const executor = open({
    maxWorkers: 2,
    minWorkers: 2,
    // The condition is about work, not about starts: both workers are up and have loaded the module before it begins.
    initializer: [who],
    grace: GRACE_MS,
    onWorkerExit: ({ reason }: WorkerExit) => {
      if (reason !== "stopped") losses.push(reason)
    }
  })
  await executor.ready()
  const outcome = await operation.perform(executor, stage)
  await executor.shutdown()
  return { outcome, losses, forced: executor.stats().forced }
}
