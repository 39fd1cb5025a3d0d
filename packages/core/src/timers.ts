/**
 * Node's timers and clocks as they were when this library was loaded. Tests replace the global ones (`vi.useFakeTimers()`, `mock.timers.enable()`), and
 * so may tasks: then scheduling here must not stand still until somebody advances a fake clock.
 *
 * Nothing of this library uses the global ones; a rule of the linter says so.
 */
import { process } from "./worker/process.ts"

// Not `import`: that reads every property of the module, and so loads `node:timers/promises` into each worker.
// The module is left alone where only the globals were replaced before this library was loaded, as Jest does with `enableGlobally`.
const originals = process.getBuiltinModule("node:timers")

/** Node's own: clears what `setImmediate` of this module has made. */
export const clearImmediate: typeof globalThis.clearImmediate = originals.clearImmediate
/** Node's own: clears what `setInterval` of this module has made. */
export const clearInterval: typeof globalThis.clearInterval = originals.clearInterval
/** Node's own: clears what `setTimeout` of this module has made. */
export const clearTimeout: typeof globalThis.clearTimeout = originals.clearTimeout
/** Node's own: calls back in the next turn of the event loop. */
export const setImmediate: typeof globalThis.setImmediate = originals.setImmediate
/** Node's own: calls back every so many milliseconds. */
export const setInterval: typeof globalThis.setInterval = originals.setInterval
/** Node's own: calls back after so many milliseconds. */
export const setTimeout: typeof globalThis.setTimeout = originals.setTimeout
/** Node's own: calls back before the event loop goes on. */
export const queueMicrotask: typeof globalThis.queueMicrotask = globalThis.queueMicrotask

const { performance: clock } = globalThis

/** A clock of this thread. */
export interface Clock {
  /** Milliseconds since the start of this thread. */
  readonly now: () => number
  /** When this thread started, in milliseconds since the epoch. */
  readonly timeOrigin: number
  /** How busy the event loop was: see `node:perf_hooks`. */
  readonly eventLoopUtilization: typeof clock.eventLoopUtilization
}

/** What this library uses of the global one. The methods are bound: tests replace single methods as well. */
export const performance: Clock = {
  now: clock.now.bind(clock),
  timeOrigin: clock.timeOrigin,
  eventLoopUtilization: clock.eventLoopUtilization.bind(clock)
}

const { Date } = globalThis

/** Milliseconds since the epoch. */
export const wallClock: () => number = Date.now.bind(Date)
