/** Each library behind one face: a pool of one worker, as it comes, with a listener for its errors, but for what a scene is about. */
import { Task } from "@futures/core"
import { ProcessExecutor } from "@futures/process-executor"
import { ThreadExecutor } from "@futures/thread-executor"
import { Worker as JestWorker } from "jest-worker"
import { fileURLToPath } from "node:url"
import { Piscina } from "piscina"
import { FixedClusterPool, FixedThreadPool } from "poolifier"
import { Tinypool } from "tinypool"
import workerpool from "workerpool"

/** The functions of `faults.js`. */
const names = [
  "echo",
  "wait",
  "throws",
  "exits",
  "aborts",
  "kills",
  "hoards",
  "spins",
  "throwsInTimer",
  "rejectsAfterwards",
  "answersWithFunction"
] as const
export type FaultName = (typeof names)[number]

export interface OpenOptions {
  /** The module of the tasks: one that is missing, or that throws while it is loaded, instead of the faults. */
  readonly module?: "missing" | "throwing"
  /** So little memory that a worker runs out of it soon. */
  readonly smallHeap?: boolean
  /** Workers exit before they are ready. */
  readonly startsBadly?: boolean
}

export interface Pool {
  readonly call: (name: FaultName, argument: unknown, signal: AbortSignal | undefined) => PromiseLike<unknown>
  /** Whether a call that runs can be stopped. */
  readonly stops: boolean
  readonly close: () => PromiseLike<unknown>
}

export type Kind = "thread" | "process"

export interface Library {
  readonly name: string
  readonly kind: Kind
  /** Whose version is told: a package. */
  readonly package: string
  readonly open: (options: OpenOptions) => Pool
}

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const scriptOf = ({ module }: OpenOptions, own: string): string => path(module === undefined ? own : `${module}.js`)

const HEAP = 40
const heapLimits = ({ smallHeap }: OpenOptions) =>
  smallHeap === true ? { resourceLimits: { maxOldGenerationSizeMb: HEAP } } : {}
const argsOf = ({ smallHeap, startsBadly }: OpenOptions, kind: Kind): Array<string> => [
  ...smallHeap === true && kind === "process" ? [`--max-old-space-size=${HEAP}`] : [],
  ...startsBadly === true ? ["--import", "data:text/javascript,process.exit(4)"] : []
]
/** Absent when there is nothing to say. */
const execArgv = (options: OpenOptions, kind: Kind): { execArgv?: Array<string> } => {
  const args = argsOf(options, kind)
  return args.length === 0 ? {} : { execArgv: args }
}

const ours = (kind: Kind): Library => ({
  name: "@futures",
  kind,
  package: "@futures/core",
  open: (options) => {
    const Executor = kind === "thread" ? ThreadExecutor : ProcessExecutor
    const executor = new Executor({ maxWorkers: 1, ...execArgv(options, kind), ...heapLimits(options) })
    type Faults = Record<FaultName, (argument: unknown) => unknown>
    const tasks = Task.from<Faults>(new URL(`${options.module ?? "faults"}.js`, import.meta.url))
    return {
      stops: true,
      call: (name, argument, signal) => executor.submit(Task.with(tasks[name], { signal }), argument).result(),
      close: () => executor.shutdown()
    }
  }
})

const piscina: Library = {
  name: "piscina",
  kind: "thread",
  package: "piscina",
  open: (options) => {
    const pool = new Piscina({
      filename: scriptOf(options, "faults.js"),
      minThreads: 1,
      maxThreads: 1,
      ...execArgv(options, "thread"),
      ...heapLimits(options)
    })
    pool.on("error", () => {})
    return {
      stops: true,
      call: (name, argument, signal) => pool.run(argument, { name, ...signal === undefined ? {} : { signal } }),
      close: () => pool.close()
    }
  }
}

const tinypool = (kind: Kind): Library => ({
  name: "tinypool",
  kind,
  package: "tinypool",
  open: (options) => {
    const pool = new Tinypool({
      filename: scriptOf(options, "faults.js"),
      runtime: kind === "process" ? "child_process" : "worker_threads",
      // Else its processes get none.
      env: process.env as Record<string, string>,
      minThreads: 1,
      maxThreads: 1,
      ...execArgv(options, kind),
      ...heapLimits(options)
    })
    pool.on("error", () => {})
    return {
      stops: true,
      call: (name, argument, signal) => pool.run(argument, { name, ...signal === undefined ? {} : { signal } }),
      close: () => pool.destroy()
    }
  }
})

const workerPool = (kind: Kind): Library => ({
  name: "workerpool",
  kind,
  package: "workerpool",
  open: (options) => {
    const pool = workerpool.pool(scriptOf(options, "workerpool.js"), {
      minWorkers: 1,
      maxWorkers: 1,
      workerType: kind,
      forkOpts: execArgv(options, "process"),
      workerThreadOpts: { ...execArgv(options, "thread"), ...heapLimits(options) }
    })
    return {
      stops: true,
      call: (name, argument, signal) => {
        const promise = pool.exec(name, [argument])
        signal?.addEventListener("abort", () => void promise.cancel())
        return promise as unknown as PromiseLike<unknown>
      },
      close: () => pool.terminate() as unknown as PromiseLike<unknown>
    }
  }
})

const poolifier = (kind: Kind): Library => ({
  name: "poolifier",
  kind,
  package: "poolifier",
  open: (options) => {
    const pool = kind === "process"
      ? new FixedClusterPool<unknown>(1, scriptOf(options, "poolifier-cluster.js"), {
        settings: execArgv(options, "process")
      })
      : new FixedThreadPool<unknown>(1, scriptOf(options, "poolifier-thread.js"), {
        workerOptions: { ...execArgv(options, "thread"), ...heapLimits(options) }
      })
    pool.emitter?.on("error", () => {})
    return {
      stops: true,
      call: (name, argument, signal) => pool.execute(argument, name, signal),
      close: () => pool.destroy()
    }
  }
})

const jestWorker = (kind: Kind): Library => ({
  name: "jest-worker",
  kind,
  package: "jest-worker",
  open: (options) => {
    const pool = new JestWorker(scriptOf(options, "faults.js"), {
      exposedMethods: names,
      enableWorkerThreads: kind === "thread",
      numWorkers: 1,
      forkOptions: execArgv(options, kind),
      ...heapLimits(options)
    })
    const methods = pool as unknown as Record<FaultName, (argument: unknown) => Promise<unknown>>
    return { stops: false, call: (name, argument) => methods[name](argument), close: () => pool.end() }
  }
})

export const libraries: ReadonlyArray<Library> = [
  ours("thread"),
  piscina,
  tinypool("thread"),
  workerPool("thread"),
  poolifier("thread"),
  jestWorker("thread"),
  ours("process"),
  tinypool("process"),
  workerPool("process"),
  poolifier("process"),
  jestWorker("process")
]
