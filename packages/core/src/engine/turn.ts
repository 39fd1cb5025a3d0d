/**
 * How long code has kept the event loop busy since its last turn. Loops whose values are all there already go from microtask to microtask; they give timers
 * and sockets a turn when this one has been long.
 */
import { performance, setImmediate } from "../timers.ts"

/** Milliseconds after which a loop lets the event loop turn. */
const LONGEST_TURN_MS = 10

let startedAt: number | undefined

/** Whether this turn has been long. Reads the clock: a hot loop should ask now and then only. */
export const isTurnLong = (): boolean => {
  if (startedAt !== undefined) return performance.now() - startedAt > LONGEST_TURN_MS
  startedAt = performance.now()
  // Holds the process for this turn alone.
  setImmediate(() => startedAt = undefined)
  return false
}

/** Resolves in the next turn of the event loop. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
