/**
 * The options of an executor: one table for every backend, with defaults, validation and the environment variable of each.
 *
 * Every backend accepts the whole table and ignores what has no meaning there.
 */
import type * as Duration from "effect/Duration"
import { availableParallelism } from "node:os"
import { byteSizeExpected, LEAST_MEMORY_BYTES, readByteSize } from "./byteSize.ts"
import type { ByteSizeInput } from "./byteSize.ts"
import { toMillis } from "./duration.ts"
import { bound } from "./engine/asyncContext.ts"
import { InvalidOptionError } from "./ExecutorError.ts"
import type { WorkerLostReason } from "./ExecutorError.ts"
import { infoOf } from "./Task.ts"
import type * as Task from "./Task.ts"
import { unknownOption } from "./unknownOption.ts"
import { SLOTS } from "./wire/frames.ts"

/** What `onWorkerExit` is told. */
export interface WorkerExit {
  /** Thread id, process id, ...; `undefined` when it never came to be. */
  readonly workerId: number | string | undefined
  /** What it exited with, where the operating system said so. */
  readonly exitCode: number | undefined
  /** The signal that ended it, where the operating system said so. */
  readonly signal: string | undefined
  /** `"stopped"` when we ended it: shutdown, idleness, recycling. */
  readonly reason: WorkerLostReason | "stopped"
  /**
   * Whether it had to be ended by force: a task on it did not stop when it was asked to and `grace` was over, it did not end when it was asked to, or it
   * used twice its `memoryLimit`.
   */
  readonly forced: boolean
  /** The error that ended it, if one did. */
  readonly cause: unknown
  /**
   * The call whose code threw `cause` after it had settled, such as a rejection that nothing handled: the worker finished its other calls and was replaced.
   * `undefined` in all other cases.
   */
  readonly leftBehindBy: { readonly id: number; readonly label: string } | undefined
}

/** See the option `context`. */
export interface ContextOption {
  /** Called at each submit, where the caller is; what it gives travels with the call. */
  readonly capture: () => unknown
  /** A task of one's own, called in the worker with what was captured; it calls `run` within that context and gives back its result. */
  readonly restore: ((value: any, run: () => unknown) => unknown) & Task.Brand<Task.CallKind | Task.ForeignKind>
}

/** Options of every executor. Optional fields accept `undefined`. Durations are milliseconds, or such as `"5 seconds"`. */
export interface ExecutorOptions {
  /**
   * Workers at most. Default: `os.availableParallelism()`, or `minWorkers` where that is more; on inline, calls at a time, 1.
   * `EXECUTOR_MAX_WORKERS`.
   */
  readonly maxWorkers?: number | undefined
  /**
   * Workers that are kept, and started before the first call. Default 0: workers start on demand. An executor that a worker creates
   * while it loads a module starts none before a task uses it. `EXECUTOR_MIN_WORKERS`.
   */
  readonly minWorkers?: number | undefined
  /** How long a worker beyond `minWorkers` may be idle before it is ended. Default 30 seconds. `EXECUTOR_IDLE_TIMEOUT`. */
  readonly idleTimeout?: Duration.Input | undefined
  /** Calls that may run in one worker at a time; useful for tasks that wait. Default 1. `EXECUTOR_CONCURRENCY`. */
  readonly concurrency?: number | undefined
  /** Calls after which a worker is replaced by a fresh one; unlimited by default. `EXECUTOR_MAX_TASKS_PER_WORKER`. */
  readonly maxTasksPerWorker?: number | undefined
  /**
   * Calls that may wait to be started; unlimited by default. A call that a free worker takes next is accepted in any case, so 0 means no queue: a call
   * is accepted when it can start. `EXECUTOR_MAX_PENDING`.
   */
  readonly maxPending?: number | undefined
  /**
   * What happens to another call when `maxPending` calls wait: `"wait"` (default) accepts it, and `ready()` and the Effect face's `submit` wait for room;
   * `"reject"` fails it with `QueueFullError`. `EXECUTOR_WHEN_FULL`.
   */
  readonly whenFull?: "wait" | "reject" | undefined
  /** A task and its arguments, run once by each worker before its first call. One that fails is tried again; several failures without a live worker break the executor. */
  readonly initializer?: readonly [task: Task.Call, ...args: ReadonlyArray<any>] | undefined
  /** How long a worker may take to be ready, and a task's module to load in it. Default 30 seconds. `EXECUTOR_START_TIMEOUT`. */
  readonly startTimeout?: Duration.Input | undefined
  /** How long a task that was asked to stop may take to clean up before its worker is ended. Default 1 second. `EXECUTOR_GRACE`. */
  readonly grace?: Duration.Input | undefined
  /**
   * How long a worker that has nothing to do may take to exit: its exit hooks, finalizers of layers, coverage files and profiles. Then it is ended by
   * force, with a warning. Default 10 seconds. `EXECUTOR_EXIT_TIMEOUT`.
   */
  readonly exitTimeout?: Duration.Input | undefined
  /** A name for people: in process lists, warnings and errors. Default: the backend's name. `EXECUTOR_NAME`. */
  readonly name?: string | undefined
  /**
   * Environment of the workers, laid over the parent's as it is when the executor is created; `undefined` removes a variable.
   * Processes also keep the working directory of that moment; threads share the directory of their process.
   */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Node arguments for the workers, added to the parent's own. */
  readonly execArgv?: ReadonlyArray<string> | undefined
  /**
   * Added to `process.argv` of the workers, behind the path of Node and of the worker's own module: `argv: process.argv.slice(2)` passes the
   * program's arguments on. Default: none. On inline, tasks see the program's own.
   */
  readonly argv?: ReadonlyArray<string> | undefined
  /**
   * Limits of `node:worker_threads`, best effort: a thread that fills its heap with large arrays may end the whole process. `maxYoungGenerationSizeMb` is
   * 12 where `maxOldGenerationSizeMb` alone is given. Threads only.
   */
  readonly resourceLimits?: Readonly<Record<string, number>> | undefined
  /**
   * Memory that a worker may use (processes: resident memory; threads: heap), in bytes or such as `"512 MiB"`, at least 1 MiB. It is measured after
   * calls and four times a second. A worker that uses more is replaced when its calls are done, and ended at once when it uses twice as much.
   * Unlimited by default. `EXECUTOR_MEMORY_LIMIT`.
   */
  readonly memoryLimit?: ByteSizeInput | undefined
  /**
   * `"pipe"` (default): what a task wrote arrives on the parent's stdout and stderr before its future settles. `"inherit"`: workers write by
   * themselves. `EXECUTOR_STDIO`.
   */
  readonly stdio?: "pipe" | "inherit" | undefined
  /**
   * `"await"` (default): a task's error shows the frames in the worker, then the lines that awaited the result. `"submit"`: then also the line that
   * submitted, which costs some microseconds a call. `EXECUTOR_STACKS`.
   */
  readonly stacks?: "await" | "submit" | undefined
  /**
   * Carries a context along with each call, such as the store of an `AsyncLocalStorage`: `capture` answers here, when the call is handed in, with a
   * value that can travel; `restore` is a task, called in the worker with that value and a function that runs the call.
   */
  readonly context?: ContextOption | undefined
  /** Whether the caller's Effect span and log annotations travel with calls of the Effect face. Default true. `EXECUTOR_TRACING`. */
  readonly tracing?: boolean | undefined
  /**
   * Whether tasks of `Task.define` are run, whose source is sent to the workers. Default false. For a REPL, `node -e` and notebooks; there is no variable for it.
   */
  readonly interactive?: boolean | undefined
  /** Called whenever a worker has ended, for whatever reason. */
  readonly onWorkerExit?: ((exit: WorkerExit) => void) | undefined
}

/** The options with their defaults; durations in milliseconds. */
export interface ResolvedOptions {
  readonly maxWorkers: number
  readonly minWorkers: number
  readonly idleTimeout: number
  readonly concurrency: number
  readonly maxTasksPerWorker: number
  readonly maxPending: number
  readonly whenFull: "wait" | "reject"
  readonly initializer: readonly [task: Task.Call, ...args: ReadonlyArray<any>] | undefined
  readonly startTimeout: number
  readonly grace: number
  readonly exitTimeout: number
  readonly name: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly execArgv: ReadonlyArray<string>
  readonly argv: ReadonlyArray<string>
  readonly resourceLimits: Readonly<Record<string, number>> | undefined
  readonly memoryLimit: number
  readonly stdio: "pipe" | "inherit"
  readonly stacks: "await" | "submit"
  readonly context: ContextOption | undefined
  readonly tracing: boolean
  readonly interactive: boolean
  readonly onWorkerExit: ((exit: WorkerExit) => void) | undefined
}

/** What a value must be, in words, and the value itself when it is. */
interface Reader<A> {
  readonly expected: string
  readonly read: (value: unknown) => A | undefined
  /** The value that an environment variable's text stands for; absent for options that have no text form. */
  readonly parse?: (text: string) => unknown
}

const positiveInteger: Reader<number> = {
  expected: "a whole number of at least 1",
  read: (value) => typeof value === "number" && Number.isSafeInteger(value) && value >= 1 ? value : undefined,
  parse: (text) => /^\d+$/.test(text) ? Number(text) : text
}

const concurrency: Reader<number> = {
  expected: `a whole number from 1 to ${SLOTS - 1}`,
  read: (value) => typeof value === "number" && value < SLOTS ? positiveInteger.read(value) : undefined,
  parse: positiveInteger.parse!
}

const wholeNumber: Reader<number> = {
  expected: "a whole number of at least 0",
  read: (value) => value === 0 ? 0 : positiveInteger.read(value),
  parse: positiveInteger.parse!
}

const duration: Reader<number> = {
  expected: `a duration that is not negative: milliseconds as a number, or such as "5 seconds"`,
  read: (value) => {
    try {
      return toMillis(value as Duration.Input, "")
    } catch {
      return undefined
    }
  },
  parse: (text) => /^\d+(\.\d+)?$/.test(text) ? Number(text) : text
}

const boolean: Reader<boolean> = {
  expected: "true or false",
  read: (value) => typeof value === "boolean" ? value : undefined,
  parse: (text) => text === "true" ? true : text === "false" ? false : text
}

const string: Reader<string> = {
  expected: "a string",
  read: (value) => typeof value === "string" ? value : undefined,
  parse: (text) => text
}

const oneOf = <const A extends string>(...values: ReadonlyArray<A>): Reader<A> => ({
  expected: values.map((value) => JSON.stringify(value)).join(" or "),
  read: (value) => values.find((each) => each === value),
  parse: (text) => text
})

const record = <A>(type: "string" | "number"): Reader<Readonly<Record<string, A>>> => ({
  expected: `an object of ${type}s`,
  read: (value) =>
    typeof value === "object" && value !== null &&
      Object.values(value).every((each) => each === undefined || typeof each === type)
      ? { ...value } as Record<string, A>
      : undefined
})

const strings: Reader<ReadonlyArray<string>> = {
  expected: "an array of strings",
  read: (value) => Array.isArray(value) && value.every((each) => typeof each === "string") ? [...value] : undefined
}

const callback: Reader<(...args: Array<any>) => any> = {
  expected: "a function",
  read: (value) => typeof value === "function" ? value as never : undefined
}

const initializer: Reader<readonly [Task.Call, ...ReadonlyArray<any>]> = {
  expected: "an array of a task (made with Task.module) and its arguments",
  read: (value) => Array.isArray(value) && infoOf(value[0]) !== undefined ? [...value] as never : undefined
}

const context: Reader<ContextOption> = {
  expected: "{ capture, restore }: a function, and a task made with Task.module",
  read: (value) => {
    const { capture, restore } = (value ?? {}) as Partial<ContextOption>
    return typeof capture === "function" && infoOf(restore) !== undefined ? { capture, restore: restore! } : undefined
  }
}

const memoryLimit: Reader<number> = {
  expected: byteSizeExpected(LEAST_MEMORY_BYTES),
  read: (value) => readByteSize(value, LEAST_MEMORY_BYTES),
  parse: positiveInteger.parse!
}

/** One row an option, in the order of the documentation. */
const table: { readonly [K in keyof ExecutorOptions]-?: Reader<ResolvedOptions[K] & {}> } = {
  maxWorkers: positiveInteger,
  minWorkers: wholeNumber,
  idleTimeout: duration,
  concurrency,
  maxTasksPerWorker: positiveInteger,
  maxPending: wholeNumber,
  whenFull: oneOf("wait", "reject"),
  initializer,
  startTimeout: duration,
  grace: duration,
  exitTimeout: duration,
  name: string,
  env: record<string | undefined>("string"),
  execArgv: strings,
  argv: strings,
  resourceLimits: record<number>("number"),
  memoryLimit,
  stdio: oneOf("pipe", "inherit"),
  stacks: oneOf("await", "submit"),
  context,
  tracing: boolean,
  // Not by a variable of the environment: the program says it.
  interactive: { expected: boolean.expected, read: boolean.read },
  onWorkerExit: callback
}

/** The default of `exitTimeout`: enough to write coverage and to close connections to a database. */
const EXIT_TIMEOUT_MS = 10_000

/** The options of every executor, for backends that have more. */
export const executorOptionNames = Object.keys(table) as ReadonlyArray<keyof ExecutorOptions>

/** Checks what was given and fills in the defaults. Throws `InvalidOptionError` naming the first wrong option, before anything starts. */
export const resolveOptions = (
  options: ExecutorOptions,
  backend: { readonly name: string; readonly defaultMaxWorkers?: number | undefined }
): ResolvedOptions => {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new InvalidOptionError({ option: "options", received: options, expected: "an object" })
  }
  const read: Record<string, unknown> = {
    maxWorkers: backend.defaultMaxWorkers ?? availableParallelism(),
    minWorkers: 0,
    idleTimeout: 30_000,
    concurrency: 1,
    maxTasksPerWorker: Infinity,
    maxPending: Infinity,
    whenFull: "wait",
    initializer: undefined,
    startTimeout: 30_000,
    grace: 1_000,
    exitTimeout: EXIT_TIMEOUT_MS,
    name: backend.name,
    env: {},
    execArgv: [],
    argv: [],
    resourceLimits: undefined,
    memoryLimit: Infinity,
    stdio: "pipe",
    stacks: "await",
    context: undefined,
    tracing: true,
    interactive: false,
    onWorkerExit: undefined
  }
  for (const [option, value] of Object.entries(options)) {
    if (value === undefined) continue
    const reader = Object.hasOwn(table, option) ? table[option as keyof ExecutorOptions] : undefined
    if (reader === undefined) {
      throw unknownOption(option, value, Object.keys(table), `Executor "${backend.name}"`)
    }
    const accepted = reader.read(value)
    if (accepted === undefined) throw new InvalidOptionError({ option, received: value, expected: reader.expected })
    read[option] = accepted
  }
  // Only a maximum that was given is one.
  if (options.maxWorkers === undefined) {
    read["maxWorkers"] = Math.max(read["maxWorkers"] as number, read["minWorkers"] as number)
  }
  const resolved = read as unknown as ResolvedOptions
  if (resolved.minWorkers > resolved.maxWorkers) {
    const expected = `at most maxWorkers, which is ${resolved.maxWorkers}`
    throw new InvalidOptionError({ option: "minWorkers", received: resolved.minWorkers, expected })
  }
  const { onWorkerExit } = resolved
  return onWorkerExit === undefined ? resolved : { ...resolved, onWorkerExit: bound(onWorkerExit) }
}

/** `maxWorkers` is `EXECUTOR_MAX_WORKERS`, and so on. */
export const variableOf = (option: string): string =>
  `EXECUTOR_${option.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`

/** The options that have a text form. */
export const textOptions: ReadonlyArray<string> = Object.keys(table).filter((option) =>
  table[option as keyof ExecutorOptions].parse !== undefined
)

/** Options from text, as `lookup` finds it by variable name. A wrong value throws `InvalidOptionError` naming the variable. */
export const optionsFromText = (lookup: (variable: string) => string | undefined): ExecutorOptions => {
  const options: Record<string, unknown> = {}
  for (const option of textOptions) {
    const variable = variableOf(option)
    const text = lookup(variable)
    if (text === undefined || text === "") continue
    const reader = table[option as keyof ExecutorOptions]
    const value = reader.parse!(text)
    if (reader.read(value) === undefined) {
      throw new InvalidOptionError({ option: variable, received: text, expected: reader.expected })
    }
    options[option] = value
  }
  return options
}
