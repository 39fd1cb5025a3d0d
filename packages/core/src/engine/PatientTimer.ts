/**
 * A timer that judges another process or thread: it fires only when everything that had arrived by then has been read.
 *
 * After a standstill of this thread (it computed, or was stopped), timers run before sockets are read. So a late timer waits
 * once more, and a frame that is being received is received to its end.
 */
import { LONGEST_DELAY } from "../duration.ts"

/** A timer that is later than this shows that this thread stood still. */
const STANDSTILL_MS = 50
/** Time to read what arrived during a standstill. */
const CATCH_UP_MS = 100
/** Time between two looks at a frame that is being received. */
const LOOK_MS = 10
/** A frame of which nothing more arrives is not waited for after so many looks. */
const STALLED_LOOKS = 50

export class PatientTimer {
  readonly #fire: () => void
  readonly #arriving: () => number
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined

  /** `arriving`: how many bytes have been received of a frame that is not complete; 0 for none. */
  constructor(afterMs: number, arriving: () => number, fire: () => void) {
    this.#fire = fire
    this.#arriving = arriving
    const dueAt = performance.now() + afterMs
    this.#timer = setTimeout(() => {
      if (performance.now() - dueAt > STANDSTILL_MS) this.#timer = setTimeout(() => this.#read(), CATCH_UP_MS)
      else this.#read()
    }, Math.min(afterMs, LONGEST_DELAY))
  }

  clear(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
  }

  /** After the event loop has read once. */
  #read(): void {
    this.#immediate = setImmediate(() => this.#look(0, 0))
  }

  #look(before: number, stalled: number): void {
    const bytes = this.#arriving()
    // Fewer bytes than before: that frame was received, and did not settle the call.
    if (bytes === 0 || bytes < before || stalled >= STALLED_LOOKS) return this.#fire()
    this.#timer = setTimeout(() => this.#look(bytes, bytes === before ? stalled + 1 : 0), LOOK_MS)
  }
}
