/** The chunks of a map in the order of their items, and which of them wait to be submitted or have an outcome to take. */
import type { MapChunk } from "./MapChunk.ts"

export class MapLine {
  readonly #ordered: boolean
  first: MapChunk | undefined
  last: MapChunk | undefined
  /** Those not submitted, in the order of their items. */
  readonly #waiting: Array<MapChunk> = []
  /** Unordered: those with an outcome to take, in the order in which they came. */
  readonly #ready: Array<MapChunk> = []

  constructor(ordered: boolean) {
    this.#ordered = ordered
  }

  get firstWaiting(): MapChunk | undefined {
    return this.#waiting[0]
  }

  /** Adds a chunk behind all others: it waits. */
  append(chunk: MapChunk): void {
    this.insertAfter(chunk, this.last)
  }

  /** Adds a chunk behind another, or before all: it waits. */
  insertAfter(chunk: MapChunk, before: MapChunk | undefined): void {
    const after = before === undefined ? this.first : before.next
    chunk.previous = before
    chunk.next = after
    if (before === undefined) this.first = chunk
    else before.next = chunk
    if (after === undefined) this.last = chunk
    else after.previous = chunk
    let at = this.#waiting.length
    while (at > 0 && this.#waiting[at - 1]!.first > chunk.first) at--
    this.#waiting.splice(at, 0, chunk)
  }

  /** It is submitted: it waits no longer. */
  leaveWaiting(chunk: MapChunk): void {
    const at = this.#waiting.indexOf(chunk)
    if (at >= 0) this.#waiting.splice(at, 1)
  }

  /** None is submitted any more. */
  noneWaits(): void {
    this.#waiting.length = 0
  }

  /** It has an outcome to take. */
  becameReady(chunk: MapChunk): void {
    if (this.#ordered || chunk.isReady) return
    chunk.isReady = true
    this.#ready.push(chunk)
  }

  /** The chunk whose outcome is to be taken next; `undefined` when there is none. */
  get next(): MapChunk | undefined {
    if (this.#ordered) return this.first?.hasOutcome === true ? this.first : undefined
    return this.#ready[0]
  }

  /** All of its outcomes that are here were taken. */
  noLongerReady(chunk: MapChunk): void {
    if (!chunk.isReady) return
    chunk.isReady = false
    this.#ready.splice(this.#ready.indexOf(chunk), 1)
  }

  remove(chunk: MapChunk): void {
    const { next, previous } = chunk
    if (previous === undefined) this.first = next
    else previous.next = next
    if (next === undefined) this.last = previous
    else next.previous = previous
    this.noLongerReady(chunk)
  }

  *[Symbol.iterator](): Generator<MapChunk> {
    for (let chunk = this.first; chunk !== undefined; chunk = chunk.next) yield chunk
  }

  clear(): void {
    this.first = this.last = undefined
    this.#waiting.length = 0
    this.#ready.length = 0
  }
}
