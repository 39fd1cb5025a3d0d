/**
 * The parent's part of `itemTimeout`. The worker measures each item and fails one that takes too long; the parent only ends a worker that cannot do that,
 * because a synchronous item keeps it busy.
 */
import { LONGEST_DELAY } from "../duration.ts"
import { State } from "./Call.ts"
import type { Engine } from "./Engine.ts"
import type { MapChunk } from "./MapChunk.ts"
import { PatientTimer } from "./PatientTimer.ts"
import { timeoutOf } from "./StopLadder.ts"

/** How much longer than `itemTimeout` the parent waits for the outcome that the worker gives by itself. */
const SLACK_MS = 250

const clocks = new WeakMap<MapChunk, PatientTimer>()

/** Called whenever the worker tells outcomes of a chunk, and when it begins: the next item starts now. */
export const watchItem = (engine: Engine, chunk: MapChunk, itemMs: number): void => {
  clocks.get(chunk)?.clear()
  const { cell, told } = chunk
  if (cell === undefined || cell.done() || itemMs + SLACK_MS > LONGEST_DELAY) return
  const isSilent = (): boolean => chunk.told === told && !cell.done()
  const stop = (): void => {
    if (!isSilent()) return
    chunk.stuck = { told, lane: cell.lane }
    const failure = timeoutOf("run", itemMs)
    // The worker has asked the item to stop, if it could.
    void engine.ladder.stop(cell, State.Failed, failure, Math.max(0, engine.options.grace - SLACK_MS))
  }
  clocks.set(chunk, new PatientTimer(itemMs + SLACK_MS, () => cell.lane?.arriving ?? 0, stop))
  if (clocksEnd.has(cell)) return
  clocksEnd.add(cell)
  cell.observe(() => clocks.get(chunk)?.clear())
}

const clocksEnd = new WeakSet<object>()
