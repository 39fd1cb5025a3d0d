/**
 * Calls whose worker died before it had started them. Each runs alone on a worker, so that a call that kills its worker while its
 * arguments are read is known, and takes no other call with it.
 *
 * ```
 * returned ──▶ waiting ──▶ alone on a worker ──▶ started, or returned once more
 * returned for the third time ──▶ failed
 * ```
 */
import type { FutureCell } from "./FutureCell.ts"
import type { Lane } from "./Lane.ts"

/** A call whose worker died this many times before it had started the call fails. */
export const MAX_RETURNS = 3

export class Alone {
  /** How often each call was returned by the death of its worker. */
  readonly #returns = new Map<FutureCell, number>()
  /** Calls that are to run alone, oldest first. */
  #waiting: Array<FutureCell> = []
  /** Workers that take no other call, or will, until the call on them parks or is over. */
  readonly #reserved = new Set<Lane>()

  /** Calls that wait for a worker of their own. */
  get size(): number {
    return this.#waiting.length
  }

  /** Whether calls wait, or workers are reserved. */
  get isActive(): boolean {
    return this.#waiting.length > 0 || this.#reserved.size > 0
  }

  /** Counts one more death of the worker of a call that had not started. Returns how many there have been. */
  returned(cell: FutureCell): number {
    const returns = (this.#returns.get(cell) ?? 0) + 1
    if (returns === 1) cell.observe(() => this.#returns.delete(cell))
    this.#returns.set(cell, returns)
    return returns
  }

  add(cell: FutureCell): void {
    const at = this.#waiting.findIndex((each) => each.id > cell.id)
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, cell)
  }

  /** Removes a waiting call. Returns `false` when the call does not wait here. */
  remove(cell: FutureCell): boolean {
    const at = this.#waiting.indexOf(cell)
    if (at >= 0) this.#waiting.splice(at, 1)
    return at >= 0
  }

  drain(): Array<FutureCell> {
    return this.#waiting.splice(0)
  }

  /**
   * Hands waiting calls to workers that have no other call. While there is no such worker the least loaded one is reserved, so that it
   * runs empty.
   */
  handOver(lanes: Iterable<Lane>, take: (cell: FutureCell, lane: Lane) => void): void {
    for (const lane of this.#reserved) this.#release(lane)
    while (this.#waiting.length > 0) {
      const lane = leastLoaded(lanes)
      if (lane === undefined) return
      this.#reserved.add(lane)
      lane.isReserved = true
      if (lane.load > 0) return
      take(this.#waiting.shift()!, lane)
    }
  }

  /** Lets a worker take other calls again once it is empty, or its call waits for calls of its own. */
  #release(lane: Lane): void {
    // Reserved for a call that waits: chosen again, or not.
    const isHeld = lane.state === "ready" && lane.load > 0 && lane.calls().some((cell) => this.#returns.has(cell))
    if (isHeld) return
    lane.isReserved = false
    this.#reserved.delete(lane)
  }
}

const leastLoaded = (lanes: Iterable<Lane>): Lane | undefined => {
  let least: Lane | undefined
  for (const lane of lanes) {
    if (lane.state !== "ready" || lane.retiring || lane.isReserved) continue
    if (least === undefined || lane.load < least.load) least = lane
  }
  return least
}
