/** Those who wait until another call may wait: for room in the queue, and for the workers that are always kept. */
import type { Engine } from "./Engine.ts"

export class Room {
  readonly #engine: Engine
  #waiting: Array<() => void> = []

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Whether anybody waits. */
  get isWanted(): boolean {
    return this.#waiting.length > 0
  }

  /** Whether another call may wait, or would be told at once that it may not. */
  get isThere(): boolean {
    const { options, state } = this.#engine
    return state !== "open" || options.whenFull === "reject" || !this.isFull
  }

  /** Whether `maxPending` calls wait, and as many as workers are free for. */
  get isFull(): boolean {
    const { maxPending } = this.#engine.options
    if (maxPending === Infinity) return false
    const { waiting } = this
    return waiting >= maxPending && waiting >= this.#free
  }

  /** Calls that could start at once, or as soon as their workers are up. */
  get #free(): number {
    const { lanes, options: { concurrency, maxWorkers } } = this.#engine
    let free = maxWorkers * concurrency
    for (const lane of lanes) free -= Math.min(lane.load, concurrency)
    return Math.max(free, 0)
  }

  /** Calls in the queue, and those that far workers hold ahead and are not known to have started: these can be many. */
  get waiting(): number {
    const { lanes, queue } = this.#engine
    let waiting = queue.size
    for (const lane of lanes) if (lane.isFar) waiting += lane.unstartedCount
    return waiting
  }

  ready(): Promise<void> {
    if (this.#isReady()) return Promise.resolve()
    this.#engine.alive.hold()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** There may be room now. */
  tell(): void {
    if (this.#waiting.length === 0) return
    while (this.#waiting.length > 0 && this.#isReady()) this.#waiting.shift()!()
    this.#engine.rest()
  }

  #isReady(): boolean {
    const { failingStarts, hold, lanes, options, state } = this.#engine
    if (state !== "open" || hold.isHeld) return true
    let up = 0
    for (const lane of lanes) if (lane.state === "ready") up++
    // Starts that fail again and again are not waited for while others can run calls.
    const missing = up === 0 ? 0 : failingStarts
    return !this.isFull && up + missing >= options.minWorkers
  }
}
