/**
 * The calls that wait, first in, first out.
 *
 * A ring whose capacity is a power of two. Each cell knows its position, an ever-growing number, so that a cancelled cell leaves in constant time and
 * its memory goes with it; the hole it leaves is skipped by whoever takes the next.
 */
import type { FutureCell } from "./FutureCell.ts"

/** Slots of an empty queue: a power of two, as every capacity is. */
const LEAST = 64

export class Queue {
  #ring: Array<FutureCell | undefined> = new Array(LEAST)
  /** Position of the oldest cell, or of a hole before it. */
  #head = 0
  /** Position of the next cell to come. */
  #tail = 0
  /** Cells in the queue, holes not counted. */
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Slots that are allocated. */
  get capacity(): number {
    return this.#ring.length
  }

  push(cell: FutureCell): void {
    if (this.#tail - this.#head === this.#ring.length) this.#grow()
    cell.position = this.#tail
    this.#ring[this.#tail++ & (this.#ring.length - 1)] = cell
    this.#size++
  }

  /** Puts a cell back that was handed over and never started: before all that came after it, so that it keeps its turn. */
  putBack(cell: FutureCell): void {
    if (this.#tail - this.#head === this.#ring.length) this.#grow()
    const mask = this.#ring.length - 1
    let at = --this.#head
    // Those put back before it may be older; there are never more than a worker's hands hold.
    for (; at + 1 < this.#tail; at++) {
      const next = this.#ring[(at + 1) & mask]
      if (next !== undefined && next.id > cell.id) break
      this.#ring[at & mask] = next
      if (next !== undefined) next.position = at
    }
    cell.position = at
    this.#ring[at & mask] = cell
    this.#size++
  }

  /** The oldest cell, which stays. */
  peek(): FutureCell | undefined {
    const mask = this.#ring.length - 1
    while (this.#head < this.#tail) {
      const cell = this.#ring[this.#head & mask]
      if (cell !== undefined) return cell
      this.#head++
    }
    return undefined
  }

  shift(): FutureCell | undefined {
    const mask = this.#ring.length - 1
    while (this.#head < this.#tail) {
      const index = this.#head++ & mask
      const cell = this.#ring[index]
      if (cell === undefined) continue
      this.#ring[index] = undefined
      this.#removed()
      return cell
    }
    return undefined
  }

  /** Takes a cell out from anywhere. Answers `false` when it is not in the queue. */
  remove(cell: FutureCell): boolean {
    const index = cell.position & (this.#ring.length - 1)
    if (this.#ring[index] !== cell) return false
    this.#ring[index] = undefined
    this.#removed()
    return true
  }

  /** Takes all cells out, in order. */
  drain(): Array<FutureCell> {
    const cells: Array<FutureCell> = []
    for (let cell = this.shift(); cell !== undefined; cell = this.shift()) cells.push(cell)
    return cells
  }

  #removed(): void {
    if (--this.#size > 0) return
    this.#head = this.#tail
    // A queue that once held a million calls gives their slots back.
    if (this.#ring.length > LEAST * 64) this.#ring = new Array(LEAST)
  }

  /** Makes room for one more: twice the slots, or, where holes abound, the same slots with the holes squeezed out. */
  #grow(): void {
    const old = this.#ring
    const mask = old.length - 1
    const next: Array<FutureCell | undefined> = new Array(this.#size * 2 > old.length ? old.length * 2 : old.length)
    let count = 0
    for (let at = this.#head; at < this.#tail; at++) {
      const cell = old[at & mask]
      if (cell === undefined) continue
      cell.position = count
      next[count++] = cell
    }
    this.#ring = next
    this.#head = 0
    this.#tail = count
  }
}
