/**
 * Holds the timers of this thread, as a test does that replaces them and does not advance them: what is scheduled with the global functions waits, and the
 * global clocks stand still. `release` puts the originals back and schedules what has waited.
 */

const names = [
  "setTimeout",
  "clearTimeout",
  "setInterval",
  "clearInterval",
  "setImmediate",
  "clearImmediate",
  "queueMicrotask",
  "performance",
  "Date"
] as const

type Schedule = (callback: (...args: ReadonlyArray<unknown>) => void, ...args: ReadonlyArray<unknown>) => unknown

/** Something that was scheduled. Stands for the timer that it will be. */
class Held {
  #timer: { ref?(): unknown; unref?(): unknown } | undefined
  #isCleared = false
  #isUnref = false
  readonly #start: () => unknown

  constructor(start: () => unknown) {
    this.#start = start
  }

  ref(): this {
    this.#isUnref = false
    this.#timer?.ref?.()
    return this
  }

  unref(): this {
    this.#isUnref = true
    this.#timer?.unref?.()
    return this
  }

  release(): void {
    if (this.#isCleared) return
    const timer = this.#start() as { ref?(): unknown; unref?(): unknown } | undefined
    this.#timer = timer
    if (this.#isUnref) timer?.unref?.()
  }

  clear(clear: (timer: never) => void): void {
    this.#isCleared = true
    if (this.#timer !== undefined) clear(this.#timer as never)
  }
}

/** The global timers and clocks, held. `scheduled` counts what was scheduled with them. */
export interface HeldTimers {
  readonly scheduled: () => number
  readonly release: () => void
}

/** Holds them until `release`. */
export const holdTimers = (): HeldTimers => {
  const real = Object.fromEntries(names.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)!]))
  const held: Array<Held> = []
  const holding = (schedule: Schedule): Schedule => (...args) => {
    const waiting = new Held(() => schedule(...args))
    held.push(waiting)
    return waiting
  }
  // A timer that was made before is cleared as ever.
  const clearing = (clear: (timer: never) => void) => (timer: unknown): void =>
    timer instanceof Held ? timer.clear(clear) : clear(timer as never)
  const { performance: clock } = globalThis
  const now = clock.now()
  const then = Date.now()
  const { Date: NativeDate } = globalThis
  const replacements: Record<(typeof names)[number], unknown> = {
    setTimeout: holding(setTimeout as Schedule),
    clearTimeout: clearing(clearTimeout),
    setInterval: holding(setInterval as Schedule),
    clearInterval: clearing(clearInterval),
    setImmediate: holding(setImmediate as Schedule),
    clearImmediate: clearing(clearImmediate),
    queueMicrotask: holding(queueMicrotask as Schedule),
    performance: { timeOrigin: clock.timeOrigin, now: () => now, eventLoopUtilization: () => ({ active: 0 }) },
    Date: class extends NativeDate {
      static override now(): number {
        return then
      }
    }
  }
  for (const name of names) {
    Object.defineProperty(globalThis, name, { value: replacements[name], configurable: true, writable: true })
  }
  return {
    scheduled: () => held.length,
    release: () => {
      for (const name of names) Object.defineProperty(globalThis, name, real[name]!)
      for (const each of held) each.release()
    }
  }
}
