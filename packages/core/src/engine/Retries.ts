/**
 * Calls that are tried again.
 *
 * ```
 * running ──▶ waiting ──▶ queued         a failed attempt, a pause, its turn again
 * ```
 *
 * While it waits the call is pending: it can be cancelled, and `shutdown` waits for it.
 */
import { LONGEST_DELAY } from "../duration.ts"
import { PoisonTaskError } from "../ExecutorError.ts"
import type { RetryPolicy } from "../retry.ts"
import { clearTimeout, setTimeout } from "../timers.ts"
import { ours } from "./Failure.ts"
import type { Failure } from "./Failure.ts"
import type { FutureCell } from "./FutureCell.ts"

interface Retry {
  readonly policy: RetryPolicy
  /** Attempts that ended with the death of their worker. */
  lost: number
  timer: NodeJS.Timeout | undefined
  /** What `retry.while`, or the schedule, threw. */
  fault: Failure | undefined
}

export class Retries {
  readonly #retries = new Map<FutureCell, Retry>()
  readonly #again: (cell: FutureCell) => void

  constructor(again: (cell: FutureCell) => void) {
    this.#again = again
  }

  /** An attempt has failed. Answers whether there will be another; `lost` says that the worker died. */
  retry(cell: FutureCell, failure: Failure, lost: boolean): boolean {
    if (cell.options.retry === undefined) return false
    let retry = this.#retries.get(cell)
    if (retry === undefined) {
      retry = { policy: cell.options.retry(), lost: 0, timer: undefined, fault: undefined }
      this.#retries.set(cell, retry)
      cell.observe(() => this.#retries.delete(cell))
    }
    if (lost) retry.lost++
    let pause: number | undefined
    try {
      pause = cell.inside!(() => retry.policy(failure.build(cell.label), cell.attempt))
    } catch (error) {
      // The decision itself failed: the call ends with that error, and `verdict` returns it.
      retry.fault = { kind: "threw", build: () => error }
      return false
    }
    if (pause === undefined || !cell.requeue()) return false
    cell.form.spans?.cameBack(cell, failure)
    const go = (): void => {
      retry.timer = undefined
      this.#again(cell)
    }
    if (pause > 0) retry.timer = setTimeout(go, Math.min(pause, LONGEST_DELAY))
    else go()
    return true
  }

  /** The failure of a call without further attempts: `retry.while` threw, or the call killed its worker each time (poison). */
  verdict(cell: FutureCell, failure: Failure): Failure {
    const retry = this.#retries.get(cell)
    if (retry?.fault !== undefined) return retry.fault
    const lost = retry?.lost ?? 0
    const attempts = cell.attempt
    return lost > 1 && lost === attempts
      ? ours((task, item) => new PoisonTaskError({ attempts, cause: failure.build(task, item), task, item }))
      : failure
  }

  /** Takes a call out that waits for its next attempt. Answers `false` when it does not. */
  remove(cell: FutureCell): boolean {
    const retry = this.#retries.get(cell)
    if (retry?.timer === undefined) return false
    clearTimeout(retry.timer)
    retry.timer = undefined
    return true
  }

  /** Takes all calls out that wait for their next attempt. */
  drain(): Array<FutureCell> {
    return [...this.#retries.keys()].filter((cell) => this.remove(cell))
  }
}
