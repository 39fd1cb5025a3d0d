/**
 * The queue with priorities: one ring for each priority in use.
 *
 * The oldest call of each priority competes. It is worth its priority, plus one for every sixteen calls that started since it came, so that a call
 * which is passed over rises until it is its turn. Among equals the oldest is first.
 */
import type { FutureCell } from "./FutureCell.ts"
import { Queue } from "./Queue.ts"

/** Starts of others that raise a waiting call by one. */
const RISE = 16

export class Levels {
  readonly #rings = new Map<number, Queue>()
  /** The ring of priority 0, which most programs never leave. */
  readonly #plain = new Queue()
  #size = 0
  /** Calls taken so far: the clock by which calls age. */
  #taken = 0

  constructor() {
    this.#rings.set(0, this.#plain)
  }

  get size(): number {
    return this.#size
  }

  push(cell: FutureCell): void {
    cell.queuedAt = this.#taken
    this.#ring(cell.priority).push(cell)
    this.#size++
  }

  /** Puts a call back that was handed over and never started: it keeps its turn among those of its priority. */
  putBack(cell: FutureCell): void {
    this.#ring(cell.priority).putBack(cell)
    this.#size++
  }

  /** The call that is next, which stays. */
  peek(): FutureCell | undefined {
    return (this.#rings.size === 1 ? this.#plain : this.#worthiest())?.peek()
  }

  shift(): FutureCell | undefined {
    const cell = (this.#rings.size === 1 ? this.#plain : this.#worthiest())?.shift()
    if (cell === undefined) return undefined
    this.#size--
    this.#taken++
    return cell
  }

  remove(cell: FutureCell): boolean {
    if (this.#rings.get(cell.priority)?.remove(cell) !== true) return false
    this.#size--
    return true
  }

  /** Takes all calls out, in the order in which they would have started. */
  drain(): Array<FutureCell> {
    const cells: Array<FutureCell> = []
    for (let cell = this.shift(); cell !== undefined; cell = this.shift()) cells.push(cell)
    return cells
  }

  #ring(priority: number): Queue {
    let ring = this.#rings.get(priority)
    if (ring === undefined) this.#rings.set(priority, ring = new Queue())
    return ring
  }

  #worthiest(): Queue | undefined {
    let best: Queue | undefined
    let bestWorth = -Infinity
    let bestAge = -1
    for (const [priority, ring] of this.#rings) {
      const head = ring.peek()
      if (head === undefined) {
        if (ring !== this.#plain) this.#rings.delete(priority)
        continue
      }
      const age = this.#taken - head.queuedAt
      const worth = priority + Math.floor(age / RISE)
      if (worth > bestWorth || (worth === bestWorth && age > bestAge)) {
        best = ring
        bestWorth = worth
        bestAge = age
      }
    }
    return best
  }
}
