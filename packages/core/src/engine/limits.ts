/** What may end a call from outside while it waits or runs: its queue clock, and the caller's `AbortSignal`. */
import type { Backend } from "../Backend.ts"
import { LONGEST_DELAY } from "../duration.ts"
import { TaskTimeoutError } from "../ExecutorError.ts"
import { abortedBy, ours } from "./Failure.ts"
import type { Failure } from "./Failure.ts"
import type { FutureCell } from "./FutureCell.ts"
import { patience } from "./PatientTimer.ts"
import { endOnAbort } from "./signals.ts"

/** How a call is ended. */
export interface CallEnder {
  /** Fails a call that has not started; does nothing to one that has. */
  readonly expire: (cell: FutureCell, failure: Failure) => void
  /** Cancels a pending call, interrupts a running one. */
  readonly abort: (cell: FutureCell, failure: Failure) => void
}

/** Starts the queue clock and listens to the signal of a call that has them; both end with the call. A queue elsewhere (`remote`) has a clock of its own. */
export const limitCall = (
  cell: FutureCell,
  ender: CallEnder,
  { remote, whyNoWorker }: Pick<Backend, "remote" | "whyNoWorker">
): void => {
  const { queueTimeout, signal } = cell.options
  if (queueTimeout <= LONGEST_DELAY && remote !== true) {
    // A worker that was free in time gets the call, though this thread did not hear of it.
    const timer = patience(queueTimeout, () => ender.expire(cell, queueRanOut(queueTimeout, whyNoWorker?.())))
    cell.observe(() => timer.clear())
  }
  if (signal === undefined) return
  if (signal.aborted) return ender.abort(cell, abortedBy(signal))
  endOnAbort(signal, cell, ender)
}

/** `why` no worker can start: the end of a sentence. */
const queueRanOut = (after: number, why: string | undefined): Failure =>
  ours((task, item) => {
    const error = new TaskTimeoutError({ clock: "queue", after, task, item })
    if (why !== undefined) error.message += `: ${why}`
    return error
  })
