/**
 * Who has a call that was sent ahead: the worker, which is about to start it, or the parent, which takes it back. For links whose
 * two ends share memory.
 *
 * One number for each slot of a wire id: the latest turn that was claimed there. Turns only grow, and a slot is used again only
 * when its call has settled or was taken back, so nothing needs to be prepared for a call, or cleaned up after it.
 */
import { SLOTS } from "./frames.ts"

/** What both ends share: the parent makes it, and sends it along when it starts the worker. */
export const makeClaims = (): Int32Array => new Int32Array(new SharedArrayBuffer(SLOTS * Int32Array.BYTES_PER_ELEMENT))

/** Claims a call, by its wire id. Returns `true` to exactly one of the two ends that try. */
export const claim = (claims: Int32Array, wireId: number): boolean => {
  const slot = wireId % SLOTS
  const turn = Math.floor(wireId / SLOTS)
  let latest = Atomics.load(claims, slot)
  while (latest < turn) {
    const found = Atomics.compareExchange(claims, slot, latest, turn)
    if (found === latest) return true
    latest = found
  }
  return false
}
