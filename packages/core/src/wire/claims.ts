/**
 * Who has a call that was sent to a worker: the worker, which is about to start it, or the parent, which takes it back; and whether the
 * worker is to stop it. For links whose two ends share memory.
 *
 * One number for each slot of a wire id: the latest turn that was claimed there, negative once that call is to stop. Turns only grow,
 * and a slot is used again only when its call has settled or was taken back, so nothing needs to be prepared for a call, or cleaned up
 * after it.
 *
 * ```
 * earlier turn ──▶ turn ──▶ -turn            claimed, then to stop
 * earlier turn ──▶ -turn                     to stop before the worker has started it: the worker has it, whether it has looked or not
 * ```
 */
import { SLOTS } from "./frames.ts"

/** What both ends share: the parent makes it, and sends it along when it starts the worker. */
export const makeClaims = (): Int32Array => new Int32Array(new SharedArrayBuffer(SLOTS * Int32Array.BYTES_PER_ELEMENT))

/** Claims a call for the parent, by its wire id. Returns `true` to exactly one of the two ends that try. */
export const claim = (claims: Int32Array, wireId: number): boolean =>
  raise(claims, wireId, Math.floor(wireId / SLOTS)) !== undefined

/** Claims a call for the worker: as `claim`, and also one that the parent has asked to stop before. Once for each call. */
export const claimToStart = (claims: Int32Array, wireId: number): boolean =>
  claim(claims, wireId) || isStopRequested(claims, wireId)

/** Asks a call to stop that the parent has not taken back, so that the worker can see it while it computes. */
export const requestStop = (claims: Int32Array, wireId: number): void => {
  const turn = Math.floor(wireId / SLOTS)
  // When the worker claims it meanwhile, that is the last change of others.
  if (raise(claims, wireId, -turn) === undefined) Atomics.compareExchange(claims, wireId % SLOTS, turn, -turn)
}

/** Whether the parent has asked a call of the worker to stop. */
export const isStopRequested = (claims: Int32Array, wireId: number): boolean =>
  Atomics.load(claims, wireId % SLOTS) === -Math.floor(wireId / SLOTS)

/** Writes the turn of a call, or its negative, over an earlier one. Returns that; `undefined` when there was none. */
const raise = (claims: Int32Array, wireId: number, value: number): number | undefined => {
  const slot = wireId % SLOTS
  const turn = Math.abs(value)
  let latest = Atomics.load(claims, slot)
  while (Math.abs(latest) < turn) {
    const found = Atomics.compareExchange(claims, slot, latest, value)
    if (found === latest) return latest
    latest = found
  }
  return undefined
}
