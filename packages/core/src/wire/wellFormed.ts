/** Whether a frame from a worker has the shape that its kind says: tasks share the worker with us, and may send what they like. */
import { CALL_FIELDS, HEADER, Kind, OUTCOME_STRIDE, Status } from "./frames.ts"
import type { Frame } from "./frames.ts"
import type { ItemOutcomes } from "./items.ts"

const isErrorRecord = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "thrown" in value &&
  Array.isArray((value as { errors?: unknown }).errors)

const isOutcome = (status: unknown, value: unknown): boolean => {
  switch (status) {
    case Status.Threw:
    case Status.Failed:
    case Status.Refused:
      return isErrorRecord(value)
    case Status.Succeeded:
    case Status.Interrupted:
    case Status.Returned:
      return true
    default:
      return false
  }
}

/** Outcomes of items of a chunk: their values, or a flat list. */
export const areItemOutcomes = (outcomes: unknown): outcomes is ItemOutcomes => {
  if (!Array.isArray(outcomes)) {
    const values = (outcomes as { readonly values?: unknown } | null | undefined)?.values
    return Array.isArray(values) || values instanceof Float64Array
  }
  if (outcomes.length % 2 !== 0) return false
  for (let at = 0; at < outcomes.length; at += 2) if (!isOutcome(outcomes[at], outcomes[at + 1])) return false
  return true
}

/** No `NaN`: it would stay in every average. */
const isDuration = (ran: unknown): boolean => typeof ran === "number" && ran >= 0

const isTaskReference = (reference: unknown): boolean => {
  if (!Array.isArray(reference)) return typeof reference === "number"
  const [index, module, name] = reference as ReadonlyArray<unknown>
  return typeof index === "number" && typeof module === "string" && typeof name === "string"
}

const isCall = (wireId: unknown, task: unknown, meta: unknown, count: unknown): count is number =>
  typeof wireId === "number" && isTaskReference(task) && Number.isSafeInteger(count) && count as number >= 0 &&
  (typeof meta === "number" || typeof meta === "object" && meta !== null)

const areCalls = (frame: Frame): boolean => {
  let at = HEADER
  while (at + CALL_FIELDS <= frame.length) {
    const count = frame[at + 5]
    if (!isCall(frame[at], frame[at + 2], frame[at + 4], count)) return false
    at += CALL_FIELDS + count
  }
  return at === frame.length
}

export const isWellFormed = (frame: Frame): boolean => {
  switch (frame[0]) {
    case Kind.Outcomes:
      if ((frame.length - HEADER) % OUTCOME_STRIDE !== 0) return false
      for (let at = HEADER; at < frame.length; at += OUTCOME_STRIDE) {
        if (!isOutcome(frame[at + 1], frame[at + 2]) || !isDuration(frame[at + 3])) return false
      }
      return true
    case Kind.Calls:
      return areCalls(frame)
    case Kind.Interrupt:
      return typeof frame[HEADER] === "number" &&
        (frame[HEADER + 1] === undefined || typeof frame[HEADER + 1] === "number") &&
        (frame[HEADER + 2] === undefined || isErrorRecord(frame[HEADER + 2]))
    case Kind.Credit:
      return typeof frame[HEADER] === "number" && typeof frame[HEADER + 1] === "number"
    case Kind.Output:
      return (frame[HEADER] === 1 || frame[HEADER] === 2) &&
        (typeof frame[HEADER + 1] === "string" || frame[HEADER + 1] instanceof Uint8Array)
    case Kind.Items:
      return typeof frame[HEADER + 1] === "object"
    case Kind.Loading:
    case Kind.Started:
    case Kind.Memory:
      return typeof frame[HEADER] === "number"
    case Kind.Fatal:
      return isErrorRecord(frame[HEADER])
    case Kind.LeftBehind:
      return isErrorRecord(frame[HEADER]) && typeof frame[HEADER + 1] === "number" &&
        typeof frame[HEADER + 2] === "string"
    case Kind.Notice:
      return typeof frame[HEADER] === "string"
    default:
      return true
  }
}
