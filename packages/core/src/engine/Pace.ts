/**
 * How long a task takes, as far as its calls have told: what decides how many of them a worker may hold at a time.
 *
 * A call is worth its measured run time, but at least its share of the budget: a task that is not known yet fills a worker's hands alone, and each quick
 * answer lets one more of its calls go along. One slow answer takes all of that back.
 */

/** Milliseconds of expected work in a worker's hands, beyond the calls that it runs. */
export const BUDGET = 1
/** Calls in a worker's hands, at most. */
export const MOST = 1024
/** Milliseconds within which a worker starts what it holds beyond the calls it runs; then it may not any more, and the calls are taken back. */
export const LEASE = 10
/** From here on an answer is slow, in milliseconds. */
const SLOW = BUDGET / 2
/** Weight of the latest answer in the average. */
const WEIGHT = 1 / 8

export class Pace {
  #millis = 0
  /** Calls that may go together. */
  #trust = 1

  /** What a call is worth of the budget. */
  get cost(): number {
    return Math.max(this.#millis, BUDGET / this.#trust)
  }

  /** A call has been answered, after so many milliseconds in its worker. */
  learn(millis: number): void {
    if (!(millis < SLOW)) {
      this.#millis = millis
      this.#trust = 1
      return
    }
    this.#millis += (millis - this.#millis) * WEIGHT
    if (this.#trust < MOST) this.#trust++
  }
}
