/** Tells when the worker uses more memory than it may: between calls, and every now and then while one runs. */
import { clearInterval, performance, setInterval } from "../timers.ts"

/** How often memory is measured at most, in milliseconds. */
const MEASURE_EVERY = 250

export class MemoryWatch {
  readonly #limit: number
  readonly #usage: () => number
  readonly #over: (bytes: number) => void
  readonly #timer: NodeJS.Timeout
  #measuredAt = 0

  constructor(limit: number, usage: () => number, over: (bytes: number) => void) {
    this.#limit = limit
    this.#usage = usage
    this.#over = over
    this.#timer = setInterval(() => this.look(), MEASURE_EVERY)
    this.#timer.unref()
  }

  look(): void {
    const now = performance.now()
    if (now - this.#measuredAt < MEASURE_EVERY / 2) return
    this.#measuredAt = now
    const bytes = this.#usage()
    if (bytes > this.#limit) this.#over(bytes)
  }

  end(): void {
    clearInterval(this.#timer)
  }
}
