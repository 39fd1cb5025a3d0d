/** Runs fibers by Node's own timers: Effect's scheduler looks the global ones up at each use, and tests replace those. */
import { MixedScheduler } from "effect/Scheduler"
import type { Scheduler } from "effect/Scheduler"
import { clearImmediate, setImmediate } from "./timers.ts"

export const scheduler: Scheduler = new MixedScheduler("async", (run) => {
  const immediate = setImmediate(run)
  return () => clearImmediate(immediate)
})
