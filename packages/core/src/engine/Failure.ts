/**
 * Why a call did not succeed, as data.
 *
 * An error object costs microseconds (its stack), and most failures of a large batch are looked at late or never, so a settled cell keeps the
 * recipe and builds the error when somebody asks. Each `result()` asks anew: its error then shows the lines that awaited it.
 */
import { CancelledError, TaskFailedError, TaskTimeoutError } from "../ExecutorError.ts"
import type { CancelReason } from "../ExecutorError.ts"
import { decodeError } from "../wire/error.ts"
import type { ErrorRecord } from "../wire/error.ts"
import { Status } from "../wire/frames.ts"
import { valueOf } from "../wire/StopReason.ts"
import type { StopReason } from "../wire/StopReason.ts"
import { codecOf } from "../worker/codec.ts"
import type { TaskDefinition } from "../worker/registry.ts"

export interface Failure {
  /** `threw`: by the task's own code, untyped. `failed`: a typed failure of the task's Effect. `ours`: an error of `ExecutorError.ts`. */
  readonly kind: "threw" | "failed" | "ours"
  /** `task`: the label of the call. `item`: the position of the map's item, from 0. */
  readonly build: (task?: string, item?: number) => unknown
  /** The worker died: `"exact"` when it had said everything first, so that what it had not answered is what it was running. `"redeliver"`: with its machine, and may run again. */
  readonly lost?: "exact" | "unknown" | "redeliver"
  /** Of a chunk whose worker died: how many of its items may have run, where that is known. */
  readonly begun?: number | undefined
  /** As it came from a worker. */
  readonly record?: ErrorRecord
  /** What cancelled the call; absent when nothing did. */
  readonly cancelled?: CancelReason
  /** The reason that the caller gave; absent when there is none. */
  readonly given?: StopReason | undefined
}

/** An error of ours, built when asked for. */
export const ours = (build: (task?: string, item?: number) => unknown): Failure => ({ kind: "ours", build })

/** An error that came from a worker, of a call of this task. */
export const failureOf = (definition: TaskDefinition, status: number, record: ErrorRecord): Failure => {
  const { errors } = definition.settings
  if (status === Status.Failed) {
    const codec = codecOf(definition)
    const decode = (error: unknown): unknown => codec === undefined ? error : codec.decodeError(error)
    return { kind: "failed", build: () => decode(decodeError(record, errors)), record }
  }
  if (status === Status.Threw) return { kind: "threw", build: () => decodeError(record, errors), record }
  return { kind: "ours", build: (task, item) => withItem(decodeError(record, errors), task, item), record }
}

/** The timeout of an item as its worker reports it, with the position in the input that only the caller knows. */
const withItem = (error: unknown, task: string | undefined, item: number | undefined): unknown => {
  if (item === undefined || !(error instanceof TaskTimeoutError)) return error
  return new TaskTimeoutError({ clock: error.clock, after: error.after, task, item })
}

const cancelled = new Map<CancelReason, Failure>()

/** All calls that are cancelled in the same way share one recipe: cancelling 10,000 calls allocates nothing per call. */
export const cancelledBy = (reason: CancelReason): Failure => {
  let failure = cancelled.get(reason)
  if (failure === undefined) {
    cancelled.set(
      reason,
      failure = { ...ours((task, item) => new CancelledError({ reason, task, item })), cancelled: reason }
    )
  }
  return failure
}

/** As `cancelledBy`, with the reason that the caller gave, if any. One recipe may serve any number of calls. */
export const cancelledFor = (reason: CancelReason, given: StopReason | undefined): Failure => {
  if (given === undefined) return cancelledBy(reason)
  const build = (task?: string, item?: number): unknown =>
    new CancelledError({ reason, task, item, cause: valueOf(given) })
  return { kind: "ours", build, cancelled: reason, given }
}

/** Calls that an `AbortSignal` has cancelled. */
export const abortedBy = (signal: AbortSignal): Failure => cancelledFor("signal", { value: signal.reason })

/** The error as the Effect face shows it: what a task threw, untyped, is wrapped, so that the error channel holds typed errors alone. */
export const effectError = (failure: Failure, task?: string, item?: number): unknown =>
  failure.kind === "threw" ? new TaskFailedError({ cause: failure.build(task) }) : failure.build(task, item)
