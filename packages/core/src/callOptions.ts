/** The options of a call, checked and in milliseconds: read once for each `Task.with`, whatever number of calls it serves. */
import { toMillis } from "./duration.ts"
import { InvalidOptionError } from "./ExecutorError.ts"
import { retryPolicy } from "./retry.ts"
import type { RetryPolicy } from "./retry.ts"
import type { TaskInfo, TaskOptions } from "./Task.ts"
import { ownOptions } from "./unknownOption.ts"

export interface CallOptions {
  readonly timeout: number
  readonly queueTimeout: number
  /** Makes the policy of one call; absent when it runs at most once. */
  readonly retry: (() => RetryPolicy) | undefined
  readonly priority: number
  readonly signal: AbortSignal | undefined
  readonly transfer: ReadonlyArray<object> | undefined
}

/** What a call has that was given no options; always this object. */
export const noOptions: CallOptions = {
  timeout: Infinity,
  queueTimeout: Infinity,
  retry: undefined,
  priority: 0,
  signal: undefined,
  transfer: undefined
}

/** A new option of `TaskOptions` without a row here does not compile. */
const known: Readonly<Record<keyof TaskOptions, true>> = {
  timeout: true,
  queueTimeout: true,
  retry: true,
  priority: true,
  signal: true,
  label: true,
  transfer: true
}
const names = Object.keys(known) as Array<keyof TaskOptions>

const read = new WeakMap<object, CallOptions>()

/** Throws `InvalidOptionError` naming the option. */
export const callOptions = ({ options }: TaskInfo): CallOptions => {
  if (options === undefined) return noOptions
  let found = read.get(options)
  if (found !== undefined) return found
  const { label, priority = 0, queueTimeout = Infinity, retry, signal, timeout = Infinity, transfer } = ownOptions(
    options,
    names,
    "Task.with"
  )
  if (typeof priority !== "number" || !Number.isFinite(priority)) {
    throw new InvalidOptionError({ option: "priority", received: priority, expected: "a finite number" })
  }
  if (label !== undefined && typeof label !== "string") {
    throw new InvalidOptionError({ option: "label", received: label, expected: "a string" })
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new InvalidOptionError({ option: "signal", received: signal, expected: "an AbortSignal" })
  }
  if (transfer !== undefined && !Array.isArray(transfer)) {
    throw new InvalidOptionError({ option: "transfer", received: transfer, expected: "an array of buffers and ports" })
  }
  found = {
    timeout: toMillis(timeout, "timeout"),
    queueTimeout: toMillis(queueTimeout, "queueTimeout"),
    retry: retry === undefined ? undefined : retryPolicy(retry),
    priority,
    signal,
    transfer
  }
  read.set(options, found)
  return found
}
