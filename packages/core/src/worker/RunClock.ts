/**
 * The run timeout of one call, kept by the worker that runs it.
 *
 * It starts when the task's function is called, so loading the module does not count. It does not count time in which this
 * thread stood still either: stopped by a signal, by a debugger, or with its machine. Then a timer is late although the event
 * loop had nothing to do.
 */
import { monotonic } from "../wire/monotonic.ts"

// The originals: a task may replace the global ones.
const { clearTimeout, performance, setTimeout } = globalThis

/** Node fires at once for a longer delay. */
const LONGEST_DELAY_MS = 2 ** 31 - 1

/** An idle timer that is later than this shows that the thread stood still: the clock starts again. */
const STANDSTILL_MS = 100

export class RunClock {
  /** Run time that is allowed. */
  readonly #limitMs: number
  /** Whether the caller computes on this thread too: then a busy event loop says nothing about the task. */
  readonly #sharesThread: boolean
  readonly #expire: () => void
  #timer: NodeJS.Timeout | undefined
  #startedAt = monotonic()
  #loop = performance.eventLoopUtilization()
  #expired = false
  /** Whether the task's function has returned; what it promised may still be pending. */
  returned = false

  constructor(limitMs: number, sharesThread: boolean, expire: () => void) {
    this.#limitMs = limitMs
    this.#sharesThread = sharesThread
    this.#expire = expire
    this.#arm(limitMs)
  }

  /** Ends the clock and returns the run time in milliseconds, without standstills: above the limit when it has run out. */
  end(now: number): number {
    clearTimeout(this.#timer)
    const ran = now - this.#startedAt
    if (this.#expired || ran <= this.#limitMs) return ran
    return this.returned && this.#stoodFor(ran - this.#limitMs) > 0 ? this.#limitMs : ran
  }

  #arm(millis: number): void {
    this.#timer = setTimeout(() => this.#due(), Math.min(Math.ceil(millis), LONGEST_DELAY_MS))
  }

  #due(): void {
    const lateMs = monotonic() - this.#startedAt - this.#limitMs
    // Timers may be a millisecond early.
    if (lateMs <= 0) return this.#arm(-lateMs + 1)
    if (this.#stoodFor(lateMs) <= STANDSTILL_MS) {
      this.#expired = true
      return this.#expire()
    }
    this.#startedAt = monotonic()
    this.#loop = performance.eventLoopUtilization()
    this.#arm(this.#limitMs)
  }

  /** How much of the time by which the timer is late the thread was neither busy nor able to run it. */
  #stoodFor(lateMs: number): number {
    if (this.#sharesThread) return lateMs
    const { active } = performance.eventLoopUtilization(this.#loop)
    return active < lateMs / 2 ? lateMs - active : 0
  }
}
