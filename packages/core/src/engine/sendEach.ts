/** A frame of calls that could not be sent, sent again call by call: only the calls that cannot be sent fail. */
import { callEnd, HEADER } from "../wire/frames.ts"
import type { Frame, TaskReference } from "../wire/frames.ts"

/** Position of the task in a call. */
const TASK = 2

/** Called with each call of the frame, in a frame of its own. Returns whether the worker has the frame. */
export type SendOne = (wireId: unknown, frame: Frame) => boolean

/**
 * A call may define its task for those that follow it. When it is not sent, the next call of that task defines it. Returns the indexes of
 * tasks that the worker does not know.
 */
export const sendEach = (frame: Frame, send: SendOne): ReadonlyArray<number> => {
  const undefinedTasks = new Map<number, TaskReference>()
  for (let at = HEADER; at < frame.length; at = callEnd(frame, at)) {
    const one = [...frame.slice(0, HEADER), ...frame.slice(at, callEnd(frame, at))]
    const reference = one[HEADER + TASK] as TaskReference
    const index = typeof reference === "number" ? reference : reference[0]
    const task = undefinedTasks.get(index) ?? reference
    one[HEADER + TASK] = task
    if (send(frame[at], one)) undefinedTasks.delete(index)
    else if (typeof task !== "number") undefinedTasks.set(index, task)
  }
  return [...undefinedTasks.keys()]
}
