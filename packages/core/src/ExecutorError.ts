/**
 * Every error of ours: data with names.
 *
 * Each class carries its own name in `_tag`, so that it can be matched with `instanceof`, with `switch (error._tag)` and with
 * Effect's `catchTag`; what happened is in its fields, never only in its text. This file imports nothing: workers load it too.
 */

abstract class ExecutorErrorBase<Tag extends string> extends Error {
  /** The name of its class, for `switch` and `catchTag`. */
  readonly _tag: Tag
  constructor(tag: Tag, message: string, options?: { readonly cause?: unknown }) {
    super(message, options !== undefined && "cause" in options ? { cause: options.cause } : undefined)
    this._tag = tag
    Object.defineProperty(this, "name", { value: tag, configurable: true, writable: true })
  }
}

/** What a call can end with, besides its own typed failure. */
export type TaskError =
  | TaskFailedError
  | CancelledError
  | TaskTimeoutError
  | WorkerLostError
  | PoisonTaskError
  | BrokenExecutorError
  | ExecutorShutdownError
  | QueueFullError
  | NotPortableError
  | TaskNotFoundError
  | NestingTooDeepError
  | InvalidOptionError
  | InvalidStateError

/** Effect face only: the task threw, or rejected with, something that is not a typed Effect failure; `cause` is exactly that. */
export class TaskFailedError extends ExecutorErrorBase<"TaskFailedError"> {
  constructor(fields: { readonly cause: unknown }) {
    super("TaskFailedError", `The task threw: ${describe(fields.cause)}`, { cause: fields.cause })
  }
}

/** Why a call was cancelled; `"parent"`: the task that handed it in was asked to stop, or lost its worker. */
export type CancelReason = "cancel" | "interrupt" | "signal" | "shutdown" | "map" | "parent"

/**
 * The call was cancelled before it ran, interrupted while it ran, or dropped by `shutdown({ cancelPending: true })`. `cause` is the reason that was given:
 * `signal.reason` of an `AbortSignal`, or `reason` of `interrupt`; it is absent when there is none.
 */
export class CancelledError extends ExecutorErrorBase<"CancelledError"> {
  /** What cancelled it. */
  readonly reason: CancelReason
  constructor(
    fields: {
      readonly reason: CancelReason
      readonly task?: string | undefined
      /** The position of the map's item, from 0. */
      readonly item?: number | undefined
      readonly cause?: unknown
    }
  ) {
    super("CancelledError", `${nameOf(fields)} was cancelled (${fields.reason})`, fields)
    this.reason = fields.reason
  }
}

/**
 * Which time limit was exceeded: `"run"`, the task's `timeout`; `"queue"`, its `queueTimeout`; `"wait"`, the `timeout` of `result()`
 * and its kin; `"load"`, loading the task's module (the executor's `startTimeout`); `"start"`, the start of a worker (the same option).
 */
export type TimeoutClock = "run" | "queue" | "wait" | "load" | "start"

/**
 * A time limit was exceeded: `clock` says which, `after` is the limit in milliseconds, and the message names the task.
 *
 * ```ts
 * await executor.run(Task.with(fib, { timeout: "2 seconds" }), 60).catch((error) => {
 *   if (error instanceof TaskTimeoutError && error.clock === "run") console.log(error.message)
 *   // Task "fib" timed out after 2000 ms (run timeout)
 * })
 * ```
 */
export class TaskTimeoutError extends ExecutorErrorBase<"TaskTimeoutError"> {
  /** Which clock ran out. */
  readonly clock: TimeoutClock
  /** How long it had been set to, in milliseconds. */
  readonly after: number
  constructor(
    fields: {
      readonly clock: TimeoutClock
      readonly after: number
      readonly task?: string | undefined
      /** The position of the map's item, from 0. */
      readonly item?: number | undefined
      readonly message?: string | undefined
    }
  ) {
    super("TaskTimeoutError", fields.message ?? timeoutMessage(fields))
    this.clock = fields.clock
    this.after = fields.after
  }
}

/** How a worker died, as far as it can be known; `"machine"`: with the whole machine that it ran on, or the engine there. */
export type WorkerLostReason = "exit" | "signal" | "uncaught" | "unkillable" | "out-of-memory" | "machine"

/** The worker died under this call, or, as a `cause`, before it was ready. `exitCode` and `signal` are what the operating system reported, where it did. */
export class WorkerLostError extends ExecutorErrorBase<"WorkerLostError"> {
  /** What the worker exited with, where the operating system said so. */
  readonly exitCode: number | undefined
  /** The signal that ended it, such as `"SIGKILL"`, where the operating system said so. */
  readonly signal: string | undefined
  /** Thread id, process id, ...: as in `info.workerId`. */
  readonly workerId: number | string
  /** How it died, as far as it can be known. */
  readonly reason: WorkerLostReason
  constructor(fields: {
    readonly exitCode?: number | undefined
    readonly signal?: string | undefined
    readonly workerId: number | string
    readonly reason: WorkerLostReason
    /** The label of the call that it was running. */
    readonly task?: string | undefined
    /** The position of the map's item, from 0. */
    readonly item?: number | undefined
    /** What it was doing; "while running" the task by default. */
    readonly when?: string | undefined
    readonly cause?: unknown
  }) {
    const { when = `while running ${nameOf(fields, "task").replace(/^The/, "a")}` } = fields
    const how = fields.signal !== undefined
      ? `signal ${fields.signal}`
      : fields.exitCode !== undefined
      ? `exit code ${fields.exitCode}`
      : fields.reason
    // An exit code says "exit" already, and a signal "signal".
    const why = fields.reason === "exit" || fields.reason === "signal" || how === fields.reason
      ? how
      : `${fields.reason}: ${how}`
    super(
      "WorkerLostError",
      `Worker ${fields.workerId} was lost ${when} (${why})`,
      fields
    )
    this.exitCode = fields.exitCode
    this.signal = fields.signal
    this.workerId = fields.workerId
    this.reason = fields.reason
  }
}

/** Every attempt of a retried call killed its worker. `attempts` counts the runs. */
export class PoisonTaskError extends ExecutorErrorBase<"PoisonTaskError"> {
  /** How often it was run. */
  readonly attempts: number
  constructor(
    fields: {
      readonly attempts: number
      readonly task?: string | undefined
      /** The position of the map's item, from 0. */
      readonly item?: number | undefined
      readonly cause: unknown
    }
  ) {
    super("PoisonTaskError", `${nameOf(fields)} killed its worker in each of ${fields.attempts} attempts`, {
      cause: fields.cause
    })
    this.attempts = fields.attempts
  }
}

/** Workers cannot start (entry, spawn, `startTimeout`) or their initializer fails; `cause` says why. */
export class BrokenExecutorError extends ExecutorErrorBase<"BrokenExecutorError"> {
  constructor(fields: { readonly message?: string; readonly cause: unknown }) {
    super("BrokenExecutorError", fields.message ?? `Workers cannot start: ${describe(fields.cause)}`, {
      cause: fields.cause
    })
  }
}

/** The call was handed in after `shutdown`. */
export class ExecutorShutdownError extends ExecutorErrorBase<"ExecutorShutdownError"> {
  constructor() {
    super("ExecutorShutdownError", "The executor has been shut down and takes no more calls")
  }
}

/** The queue is bounded, full, and set to reject. */
export class QueueFullError extends ExecutorErrorBase<"QueueFullError"> {
  /** The option `maxPending`, in calls. */
  readonly maxPending: number
  constructor(fields: { readonly maxPending: number }) {
    const why = fields.maxPending === 0
      ? "no worker is free, and maxPending is 0"
      : `${fields.maxPending} calls are pending`
    super("QueueFullError", `The queue is full: ${why}`)
    this.maxPending = fields.maxPending
  }
}

/** Where in a call something could not travel. */
export type PortableSide = "task" | "argument" | "result" | "error"

/**
 * Something cannot travel to, or back from, a worker. `path` is where it was found (`args[0].user.callback`, `result[3]`), `value` describes it.
 */
export class NotPortableError extends ExecutorErrorBase<"NotPortableError"> {
  /** Where it was found: `args[0].user.callback`, `result[3]`. */
  readonly path: string
  /** What was found there, in a few words. */
  readonly value: string
  /** Whether it was on its way there or back. */
  readonly side: PortableSide
  constructor(fields: {
    readonly path: string
    readonly value: string
    readonly side: PortableSide
    readonly hint?: string | undefined
    readonly cause?: unknown
  }) {
    const hint = fields.hint === undefined ? "" : `. ${fields.hint}`
    super("NotPortableError", `${fields.path} cannot travel to or from a worker: ${fields.value}${hint}`, fields)
    this.path = fields.path
    this.value = fields.value
    this.side = fields.side
  }
}

/** The task's module is missing, does not parse, throws while loading, or has no such name. `module` is its URL. */
export class TaskNotFoundError extends ExecutorErrorBase<"TaskNotFoundError"> {
  /** The URL of the module. */
  readonly module: string
  /** The name that was looked for in it. */
  readonly task: string
  constructor(
    fields: { readonly module: string; readonly task: string; readonly message?: string; readonly cause?: unknown }
  ) {
    super("TaskNotFoundError", fields.message ?? `No task "${fields.task}" in ${fields.module}`, fields)
    this.module = fields.module
    this.task = fields.task
  }
}

/** Tasks that wait for tasks of their own nest too deep. `depth` is what this call would have been at. */
export class NestingTooDeepError extends ExecutorErrorBase<"NestingTooDeepError"> {
  /** How deep the call would have been. */
  readonly depth: number
  constructor(fields: { readonly depth: number }) {
    super("NestingTooDeepError", `The call would be nested ${fields.depth} deep`)
    this.depth = fields.depth
  }
}

/** An option has a value that it cannot have: `option` names it, `received` describes what it got, `expected` what it wants. */
export class InvalidOptionError extends ExecutorErrorBase<"InvalidOptionError"> {
  /** The name of the option, or of the variable of the environment that gave it. */
  readonly option: string
  /** What it was given, in a few words. */
  readonly received: string
  /** What it wants, as in "a whole number of at least 1". */
  readonly expected: string
  constructor(fields: {
    readonly option: string
    readonly received: unknown
    readonly expected: string
    readonly message?: string | undefined
  }) {
    const received = describe(fields.received)
    super("InvalidOptionError", fields.message ?? `${fields.option} must be ${fields.expected}, not ${received}`)
    this.option = fields.option
    this.received = received
    this.expected = fields.expected
  }
}

/** Something was asked of a future, task or executor that its state does not allow. */
export class InvalidStateError extends ExecutorErrorBase<"InvalidStateError"> {
  constructor(message: string) {
    super("InvalidStateError", message)
  }
}

/** A task by its label, and the item of a map, in a message. */
const nameOf = (
  { item, task }: { readonly task?: string | undefined; readonly item?: number | undefined },
  word = "Task"
): string => {
  const name = task === undefined ? `The ${word.toLowerCase()}` : `${word} ${JSON.stringify(task)}`
  if (item === undefined) return name
  return `${word === "Task" ? "Item" : "item"} ${item} of ${name.replace(/^T/, "t")}`
}

const timeoutMessage = (
  fields: {
    readonly clock: TimeoutClock
    readonly after: number
    readonly task?: string | undefined
    readonly item?: number | undefined
  }
): string => {
  const { after } = fields
  switch (fields.clock) {
    case "run":
      return `${nameOf(fields)} timed out after ${after} ms (run timeout)`
    case "queue":
      return `${nameOf(fields)} did not start within ${after} ms (queue timeout)`
    case "wait":
      return fields.task === undefined
        ? `Waited ${after} ms without a result (wait timeout)`
        : `Waited ${after} ms for ${nameOf(fields, "task")} (wait timeout)`
    case "load":
      return `The module of ${
        nameOf(fields, "task").replace(/^The/, "the")
      } did not load within ${after} ms (startTimeout)`
    case "start":
      return `The worker was not ready within ${after} ms (startTimeout)`
  }
}

/** A short description of any value for a message; never throws. */
export const describe = (value: unknown): string => {
  try {
    switch (typeof value) {
      case "string":
        return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value)
      case "bigint":
        return `${value}n`
      case "function":
        return value.name === "" ? "a function" : `function ${value.name}`
      case "object":
        if (value === null) return "null"
        if (value instanceof Error) return `${value.name}: ${value.message}`
        return Array.isArray(value)
          ? `an array of ${value.length}`
          : `an instance of ${value.constructor?.name ?? "Object"}`
      default:
        return String(value)
    }
  } catch {
    return "a value that cannot be described"
  }
}
