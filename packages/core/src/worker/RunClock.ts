/**
 * The run timeout of one call, kept by the worker that runs it.
 *
 * It starts when the task's function is called, so loading the module does not count. Time in which this thread stood still does
 * not count either: stopped by a signal, by a debugger, or with its machine. The clock looks at itself several times in a run. A
 * timer that is late although this thread did nothing shows a standstill.
 */
import { clearTimeout, performance, setTimeout } from "../timers.ts"
import { monotonic } from "../wire/monotonic.ts"
import { process } from "./process.ts"

/** Time between two looks, at most: a standstill is known but for so much of it. */
const LOOK_MS = 200
/** The same where the caller computes on this thread too, often and for short. */
const SHARED_LOOK_MS = 25
/** Looks in one run, at least. */
const LOOKS = 4
/** A timer that is later than this shows a standstill, or a busy thread. */
const LATE_MS = 20

export class RunClock {
  /** Run time that is allowed. */
  readonly #limitMs: number
  /** Whether the caller computes on this thread too: then a busy event loop says nothing about the task. */
  readonly #sharesThread: boolean
  readonly #expire: () => void
  readonly #startedAt = monotonic()
  /** How long the thread stood still since then (ms). */
  #stoodMs = 0
  #timer: NodeJS.Timeout | undefined
  /** When the next look is due. */
  #dueAt = 0
  #loop = performance.eventLoopUtilization()
  #cpuMs = cpuMillis()
  #hasExpired = false
  /** Whether the task's function has returned; what it promised may still be pending. */
  returned = false

  constructor(limitMs: number, sharesThread: boolean, expire: () => void) {
    this.#limitMs = limitMs
    this.#sharesThread = sharesThread
    this.#expire = expire
    this.#arm(limitMs, this.#startedAt)
  }

  /** Ends the clock and returns the run time in milliseconds, without standstills: above the limit when it has run out. */
  end(now: number): number {
    clearTimeout(this.#timer)
    if (!this.#hasExpired) this.#look(now)
    return this.#ranBy(now)
  }

  /** Looks whether the time is over, and expires then: for a task that computes, so that no timer fires. */
  look(): void {
    if (this.#hasExpired || this.#ranBy(monotonic()) <= this.#limitMs) return
    clearTimeout(this.#timer)
    this.#due()
  }

  #ranBy(now: number): number {
    return now - this.#startedAt - this.#stoodMs
  }

  #arm(leftMs: number, now: number): void {
    const delay = Math.ceil(Math.min(leftMs, this.#sharesThread ? SHARED_LOOK_MS : LOOK_MS, this.#limitMs / LOOKS)) + 1
    this.#dueAt = now + delay
    this.#timer = setTimeout(() => this.#due(), delay)
  }

  #due(): void {
    const now = monotonic()
    this.#look(now)
    const leftMs = this.#limitMs - this.#ranBy(now)
    if (leftMs >= 0) {
      this.#loop = performance.eventLoopUtilization()
      this.#cpuMs = cpuMillis()
      return this.#arm(leftMs, now)
    }
    this.#hasExpired = true
    this.#expire()
  }

  /** Notes by how much the look is late although the thread was not busy. */
  #look(now: number): void {
    const lateMs = now - this.#dueAt
    if (lateMs <= LATE_MS) return
    this.#stoodMs += Math.max(0, lateMs - this.#busyMs(lateMs))
  }

  #busyMs(lateMs: number): number {
    // Until the function returns, the thread is its own, whether it computes or waits for a program.
    if (this.#sharesThread) return this.returned ? 0 : lateMs
    const { active } = performance.eventLoopUtilization(this.#loop)
    // A thread may be stopped in the middle of a callback too. It uses no processor meanwhile.
    return this.returned ? Math.min(active, cpuMillis() - this.#cpuMs) : active
  }
}

/** Processor time of this thread (ms), or all time where Node cannot tell (before 23.9). */
const cpuMillis = (): number => {
  if (process.threadCpuUsage === undefined) return monotonic()
  const { system, user } = process.threadCpuUsage()
  return (system + user) / 1_000
}
