/**
 * Estimated run time of a task, from its calls so far. Limits how many of its calls a worker may hold ahead of those that it runs.
 *
 * A call costs its measured run time, but at least its share of the window: an unknown task fills a worker's window with one call, and each quick answer
 * allows one more call ahead. One slow answer takes all of that back.
 *
 * On a worker of this machine the window is `BUDGET`, and a call that takes half of it is slow. On a far worker the window follows the round trip
 * of its link, and a call is slow when it takes much longer than the calls before it.
 */

/** Expected work (ms) that a worker of this machine holds, beyond the calls that it runs. */
export const BUDGET = 1
/** Calls that a worker of this machine holds, at most. */
export const MOST = 1024
/** A worker starts what it holds ahead within this time (ms) or gives it back. */
export const LEASE = 10
/** What a call costs a far worker, at least (ms). */
const LEAST_FAR_MS = 0.005
/** Calls of a far worker that are known to be alike, at most. */
const MOST_ALIKE = 4096
/** Cost of a call that goes alone, in windows. */
const ALONE = 64
/** A far worker holds one call ahead whatever its window, while all that it holds is worth this many windows. */
export const ONE_AHEAD = 16
/** Chunks of a map are sent ahead to workers whose window is this large (ms): on nearer ones they go alone, so that what the map leaves behind never starts. */
export const CHUNKS_AHEAD_FROM_MS = 16
/** From here on an answer is slow (ms). */
const SLOW = BUDGET / 2
/** An answer that took this many times the average is a surprise. */
const SURPRISE = 4
/** Weight of the latest answer in the average. */
const WEIGHT = 1 / 8

export class Pace {
  #millis = 0
  /** Calls that may go together. */
  #trust = 1
  /** Average run time (ms), also of slow calls. */
  #mean = 0
  /** Answers that were no surprise; each surprise takes three of four. */
  #alike = 0
  /** Whether a call has waited for calls of its own. */
  #parks = false

  /** Cost of a call (ms) on a worker of this machine. */
  get cost(): number {
    return Math.max(this.#millis, BUDGET / this.#trust)
  }

  /** Expected run time of a call (ms). */
  get expectedMs(): number {
    return Math.max(this.#mean, LEAST_FAR_MS)
  }

  /** Cost of a call (ms) on a far worker with this window (ms). */
  farCost(window: number): number {
    if (this.#parks || this.#alike < 2) return window * ALONE
    return Math.max(this.expectedMs, window / this.#alike)
  }

  /**
   * Records that a call waits for calls of its own. From now on these calls go alone on far workers, with nothing ahead behind them: what waits behind
   * such a call would start before its own calls, whatever their priority.
   */
  parks(): void {
    this.#parks = true
  }

  /** Records the run time of a call (ms), measured by its worker. */
  learn(millis: number): void {
    const mean = this.#mean
    // Quick answers after a slow one count soon.
    this.#mean = this.#alike === 0 ? millis : millis < mean / 2 ? mean / 2 : mean + (millis - mean) * WEIGHT
    if (millis > SLOW && millis > mean * SURPRISE) this.#alike = Math.max(1, this.#alike >> 2)
    else if (this.#alike < MOST_ALIKE) this.#alike++
    if (!(millis < SLOW)) {
      this.#millis = millis
      this.#trust = 1
      return
    }
    this.#millis += (millis - this.#millis) * WEIGHT
    if (this.#trust < MOST) this.#trust++
  }
}

/** Cost of a call (ms) that takes all of a window (ms). */
export const aloneCost = (window: number): number => window * ALONE
