/**
 * A timer that judges another process or thread: it fires only when everything that had arrived by then has been read.
 *
 * After a standstill of this thread (it computed, or was stopped), timers run before sockets are read. So a late timer waits
 * once more, and a frame that is being received is received to its end. A timer that only limits how long somebody here waits
 * (`patience`) reads what has arrived, and does not wait once more.
 */
import { LONGEST_DELAY } from "../duration.ts"
import { clearImmediate, clearTimeout, performance, setImmediate, setTimeout } from "../timers.ts"

/** A timer that is later than this shows that this thread stood still. */
const STANDSTILL_MS = 50
/** Standstills that are waited for: a program that computes in every turn must not keep a runaway task alive. */
const STANDSTILLS = 3
/** Time to read what arrived during a standstill. */
const CATCH_UP_MS = 100
/** Time between two looks at a frame that is being received. */
const LOOK_MS = 10
/** A frame of which nothing more arrives is not waited for after so many looks. */
const STALLED_LOOKS = 50

/** What a timer does besides. */
export interface PatientTimerOptions {
  /** Whether a late timer only reads what has arrived. */
  readonly onlyReads?: boolean
  /** Whether it does not keep the process alive. */
  readonly isUnref?: boolean
}

/** How long somebody in this program waits: something that was there in time is never too late. */
export const patience = (afterMs: number, fire: () => void, arriving: () => number = none): PatientTimer =>
  new PatientTimer(afterMs, arriving, fire, reads)

const none = (): number => 0
const reads: PatientTimerOptions = { onlyReads: true }

export class PatientTimer {
  readonly #fire: () => void
  readonly #arriving: () => number
  readonly #isUnref: boolean
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined

  /** `arriving`: how many bytes have been received of a frame that is not complete; 0 for none. */
  constructor(afterMs: number, arriving: () => number, fire: () => void, options: PatientTimerOptions = {}) {
    this.#fire = fire
    this.#arriving = arriving
    this.#isUnref = options.isUnref === true
    this.#wait(afterMs, afterMs, options.onlyReads === true ? STANDSTILLS : 0)
  }

  #wait(millis: number, afterMs: number, standstills: number): void {
    const dueAt = performance.now() + millis
    this.#timer = setTimeout(() => {
      const lateMs = performance.now() - dueAt
      if (lateMs <= STANDSTILL_MS || standstills === STANDSTILLS) return this.#read()
      // What was to be done meanwhile may have stood still too, and gets its time.
      this.#wait(Math.min(lateMs, afterMs) + CATCH_UP_MS, afterMs, standstills + 1)
    }, Math.min(millis, LONGEST_DELAY))
    if (this.#isUnref) this.#timer.unref()
  }

  clear(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
  }

  /** After the event loop has read once, and what follows from that has happened. */
  #read(): void {
    this.#immediate = setImmediate(() => {
      this.#immediate = setImmediate(() => this.#look(0, 0))
    })
  }

  #look(before: number, stalled: number): void {
    const bytes = this.#arriving()
    // Fewer bytes than before: that frame was received, and did not settle the call.
    if (bytes === 0 || bytes < before || stalled >= STALLED_LOOKS) return this.#fire()
    this.#timer = setTimeout(() => this.#look(bytes, bytes === before ? stalled + 1 : 0), LOOK_MS)
  }
}
