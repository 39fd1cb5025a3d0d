/**
 * Why a call is asked to stop, as its caller said: `signal.reason` of an `AbortSignal`, or `reason` of `interrupt`. The caller gets it
 * as the `cause` of `CancelledError`, the task as the reason of its own signal.
 */
import { NotPortableError } from "../ExecutorError.ts"
import { decodeError, encodeError } from "./error.ts"
import type { ErrorRecord } from "./error.ts"
import { sizeOf } from "./size.ts"
import type { CaptureMode } from "./value.ts"

/** A reason is an explanation, not data: a larger one (estimated bytes, encoded) is replaced by an error that says so. */
const MAX_REASON_BYTES = 256 * 1024

/** A reason of this program, or one that came from another, encoded. */
export type StopReason = { readonly value: unknown } | { readonly record: ErrorRecord }

export const valueOf = (reason: StopReason): unknown => "value" in reason ? reason.value : decodeError(reason.record)

/**
 * As it is sent to the worker of a call. An error arrives with its class if that is one of `classes`; a value that cannot be
 * copied, or is too large, arrives as a `NotPortableError` that describes it.
 */
export const recordOf = (
  reason: StopReason | undefined,
  classes: ReadonlyArray<unknown> | undefined,
  mode: CaptureMode
): ErrorRecord | undefined => {
  if (reason === undefined) return undefined
  if ("record" in reason) return reason.record
  const record = encodeError(reason.value, mode, classes)
  const bytes = sizeOf(record)
  if (bytes <= MAX_REASON_BYTES) return record
  const value = `a reason of about ${bytes} bytes`
  const hint = `A reason may have ${MAX_REASON_BYTES} bytes`
  return encodeError(new NotPortableError({ path: "reason", value, side: "argument", hint }), mode)
}
