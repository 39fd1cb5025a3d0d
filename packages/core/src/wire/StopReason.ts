/**
 * Why a call is asked to stop, as its caller said: `signal.reason` of an `AbortSignal`, or `reason` of `interrupt`. The caller gets it
 * as the `cause` of `CancelledError`, the task as the reason of its own signal.
 */
import { decodeError, encodeError } from "./error.ts"
import type { ErrorRecord } from "./error.ts"
import type { CaptureMode } from "./value.ts"

/** A reason of this program, or one that came from another, encoded. */
export type StopReason = { readonly value: unknown } | { readonly record: ErrorRecord }

export const valueOf = (reason: StopReason): unknown => "value" in reason ? reason.value : decodeError(reason.record)

/**
 * As it is sent to the worker of a call. An error arrives with its class if that is one of `classes`; a value that cannot be
 * copied arrives as a `NotPortableError` that describes it.
 */
export const recordOf = (
  reason: StopReason | undefined,
  classes: ReadonlyArray<unknown> | undefined,
  mode: CaptureMode
): ErrorRecord | undefined => {
  if (reason === undefined) return undefined
  return "record" in reason ? reason.record : encodeError(reason.value, mode, classes)
}
