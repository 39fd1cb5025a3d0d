/**
 * The options of an executor: one table for every backend, with defaults, validation and the environment variable of each.
 *
 * Every backend accepts the whole table and ignores what has no meaning there.
 */
import type * as Duration from "effect/Duration"
import { availableParallelism } from "node:os"
import { toMillis } from "./duration.ts"
import { InvalidOptionError } from "./ExecutorError.ts"
import type { WorkerLostReason } from "./ExecutorError.ts"

/** What `onWorkerExit` is told. */
export interface WorkerExit {
  readonly workerId: number | string | undefined
  readonly exitCode: number | undefined
  readonly signal: string | undefined
  /** `"stopped"` when we ended it: shutdown, idleness, recycling. */
  readonly reason: WorkerLostReason | "stopped"
  readonly cause: unknown
}

/** Options of every executor. Optional fields accept `undefined`. Durations are milliseconds, or such as `"5 seconds"`. */
export interface ExecutorOptions {
  /** Workers at most. Default: `os.availableParallelism()`; on inline, calls at a time, 1. `EXECUTOR_MAX_WORKERS`. */
  readonly maxWorkers?: number | undefined
  /** Calls that may run in one worker at a time; useful for tasks that wait. Default 1. `EXECUTOR_CONCURRENCY`. */
  readonly concurrency?: number | undefined
  /** How long a worker may take to be ready. Default 30 seconds. `EXECUTOR_START_TIMEOUT`. */
  readonly startTimeout?: Duration.Input | undefined
  /** How long a task that was asked to stop may take to clean up before its worker is ended. Default 1 second. `EXECUTOR_GRACE`. */
  readonly grace?: Duration.Input | undefined
  /** A name for people: in process lists, warnings and errors. Default: the backend's name. `EXECUTOR_NAME`. */
  readonly name?: string | undefined
  /** Environment of the workers, laid over the parent's; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Node arguments for the workers, added to the parent's own. */
  readonly execArgv?: ReadonlyArray<string> | undefined
  /** Limits of `node:worker_threads`, best effort: Node may end the whole process instead. Threads only. */
  readonly resourceLimits?: Readonly<Record<string, number>> | undefined
  /**
   * `"pipe"` (default): what a task wrote arrives on the parent's stdout and stderr before its future settles. `"inherit"`: workers write by
   * themselves. `EXECUTOR_STDIO`.
   */
  readonly stdio?: "pipe" | "inherit" | undefined
  /** Called whenever a worker has ended, for whatever reason. */
  readonly onWorkerExit?: ((exit: WorkerExit) => void) | undefined
}

/** The options with their defaults; durations in milliseconds. */
export interface ResolvedOptions {
  readonly maxWorkers: number
  readonly concurrency: number
  readonly startTimeout: number
  readonly grace: number
  readonly name: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly execArgv: ReadonlyArray<string>
  readonly resourceLimits: Readonly<Record<string, number>> | undefined
  readonly stdio: "pipe" | "inherit"
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

/** One row an option, in the order of the documentation. */
const table: { readonly [K in keyof ExecutorOptions]-?: Reader<ResolvedOptions[K] & {}> } = {
  maxWorkers: positiveInteger,
  concurrency: positiveInteger,
  startTimeout: duration,
  grace: duration,
  name: string,
  env: record<string | undefined>("string"),
  execArgv: strings,
  resourceLimits: record<number>("number"),
  stdio: oneOf("pipe", "inherit"),
  onWorkerExit: callback
}

/** Checks what was given and fills in the defaults. Throws `InvalidOptionError` naming the first wrong option, before anything starts. */
export const resolveOptions = (
  options: ExecutorOptions,
  backend: { readonly name: string; readonly defaultMaxWorkers?: number | undefined }
): ResolvedOptions => {
  if (typeof options !== "object" || options === null) {
    throw new InvalidOptionError({ option: "options", received: options, expected: "an object" })
  }
  const read: Record<string, unknown> = {
    maxWorkers: backend.defaultMaxWorkers ?? availableParallelism(),
    concurrency: 1,
    startTimeout: 30_000,
    grace: 1_000,
    name: backend.name,
    env: {},
    execArgv: [],
    resourceLimits: undefined,
    stdio: "pipe",
    onWorkerExit: undefined
  }
  for (const [option, value] of Object.entries(options)) {
    if (value === undefined) continue
    const reader = Object.hasOwn(table, option) ? table[option as keyof ExecutorOptions] : undefined
    if (reader === undefined) {
      throw new InvalidOptionError({
        option,
        received: value,
        expected: `left out; there is no such option (there are ${Object.keys(table).join(", ")})`
      })
    }
    const accepted = reader.read(value)
    if (accepted === undefined) throw new InvalidOptionError({ option, received: value, expected: reader.expected })
    read[option] = accepted
  }
  return read as unknown as ResolvedOptions
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
