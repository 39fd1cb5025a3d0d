/**
 * Who has a call that was sent ahead: the worker, which is about to start it, or the parent, which takes it back; and whether a call
 * that was started is to stop. For links whose two ends share memory.
 *
 * One number for each slot of a wire id: the latest turn that was claimed there, negative once that call is to stop. Turns only grow,
 * and a slot is used again only when its call has settled or was taken back, so nothing needs to be prepared for a call, or cleaned up
 * after it.
 *
 * ```
 * earlier turn ──▶ turn ──▶ -turn            claimed, then to stop
 * ```
 */
import { SLOTS } from "./frames.ts"

/** What both ends share: the parent makes it, and sends it along when it starts the worker. */
export const makeClaims = (): Int32Array => new Int32Array(new SharedArrayBuffer(SLOTS * Int32Array.BYTES_PER_ELEMENT))

/** Claims a call, by its wire id. Returns `true` to exactly one of the two ends that try. */
export const claim = (claims: Int32Array, wireId: number): boolean => {
  const slot = wireId % SLOTS
  const turn = Math.floor(wireId / SLOTS)
  let latest = Atomics.load(claims, slot)
  while (Math.abs(latest) < turn) {
    const found = Atomics.compareExchange(claims, slot, latest, turn)
    if (found === latest) return true
    latest = found
  }
  return false
}

/** The parent asks a call to stop, so that its worker can see it while it computes. Nothing happens to a call that was not started. */
export const requestStop = (claims: Int32Array, wireId: number): void => {
  const turn = Math.floor(wireId / SLOTS)
  Atomics.compareExchange(claims, wireId % SLOTS, turn, -turn)
}

/** Whether the parent has asked a call that runs to stop. */
export const isStopRequested = (claims: Int32Array, wireId: number): boolean =>
  Atomics.load(claims, wireId % SLOTS) === -Math.floor(wireId / SLOTS)
