/**
 * Node's timers and clocks as they were when this library was loaded. Tests replace the global ones (`vi.useFakeTimers()`, `mock.timers.enable()`), and
 * so may tasks: then scheduling here must not stand still until somebody advances a fake clock.
 *
 * Nothing of this library uses the global ones; a rule of the linter says so.
 */
import { process } from "./worker/process.ts"

// Not `import`: that reads every property of the module, and so loads `node:timers/promises` into each worker.
// The module is left alone where only the globals were replaced before this library was loaded, as Jest does with `enableGlobally`.
export const {
  clearImmediate,
  clearInterval,
  clearTimeout,
  setImmediate,
  setInterval,
  setTimeout
} = process.getBuiltinModule("node:timers")

export const { queueMicrotask } = globalThis

const { performance: clock } = globalThis

/** What this library uses of it. The methods are bound: tests replace single methods as well. */
export const performance = {
  now: clock.now.bind(clock),
  timeOrigin: clock.timeOrigin,
  eventLoopUtilization: clock.eventLoopUtilization.bind(clock)
}

const { Date } = globalThis

/** Milliseconds since the epoch. */
export const wallClock: () => number = Date.now.bind(Date)
