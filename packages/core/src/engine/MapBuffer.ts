/** What a map has pulled and not yet yielded, and what it has submitted: how much more it may pull and submit. */
import { CHUNK_MS } from "./ChunkSize.ts"
import type { MapChunk } from "./MapChunk.ts"
import type { ResolvedMapOptions } from "./mapOptions.ts"

/** Items that are pulled behind a slow one by default, at least. */
const LEAST_BUFFER = 1_024
/** Estimated bytes that a chunk may have by default, at least: below that sending it costs more than the balance is worth. */
const LEAST_CHUNK_BYTES = 2 ** 20

/** Chunks for each call that can run at a time; beyond them as many as fill the windows of far workers. */
const CHUNKS_AHEAD = 4

export class MapBuffer {
  readonly #options: ResolvedMapOptions
  readonly #slots: number
  readonly #windowMs: () => number
  /** Estimated bytes of a chunk's items, and of its results, at most. */
  readonly chunkBytes: number
  /** Chunks that are submitted and not settled. */
  unsettled = 0
  /** Items pulled and not yet yielded. */
  items = 0
  /** Estimated bytes of those items, until the last of their chunk is yielded. */
  #bytes = 0
  /** The same of their results. */
  resultBytes = 0
  /** Items without an outcome: pulled, and of these submitted. */
  open = 0
  running = 0
  /** Estimated bytes that a result is likely to have, from those before; `undefined` before the first. */
  #measuredBytes: number | undefined

  /** `slots`: calls that the executor can run at a time. `windowMs`: expected work that its far workers may hold ahead. */
  constructor(options: ResolvedMapOptions, slots: number, windowMs: () => number) {
    this.#options = options
    this.#slots = slots
    this.#windowMs = windowMs
    const { bufferBytes } = options
    this.chunkBytes = Math.min(bufferBytes, Math.max(LEAST_CHUNK_BYTES, bufferBytes / (CHUNKS_AHEAD * slots)))
  }

  /** Chunks that are submitted and not settled, at most. */
  get #chunksAhead(): number {
    const ahead = this.#measuredBytes === undefined ? 0 : Math.ceil(this.#windowMs() / CHUNK_MS)
    return CHUNKS_AHEAD * this.#slots + ahead
  }

  get #expectedBytes(): number {
    return this.#measuredBytes ?? 0
  }

  /** Whether no more chunks are submitted until one settles. */
  get isFull(): boolean {
    return this.unsettled >= this.#chunksAhead
  }

  /** Whether pulling waits for a chunk to settle. */
  get isBlocked(): boolean {
    return this.isFull && this.#options.bufferSize === undefined
  }

  /** Items that may be ahead, with chunks of so many. */
  capacity(chunkSize: number): number {
    return this.#options.bufferSize ?? Math.max(LEAST_BUFFER, this.#chunksAhead * chunkSize)
  }

  mayPull(capacity: number): boolean {
    if (this.items === 0) return true
    return !this.isBlocked && this.items < capacity && this.bytesLeft > 0
  }

  /** Estimated bytes that may still be pulled; results to come count as well. */
  get bytesLeft(): number {
    return this.#options.bufferBytes - this.#bytes - this.resultBytes - this.open * this.#expectedBytes
  }

  pulled(items: number, bytes: number): void {
    this.items += items
    this.open += items
    this.#bytes += bytes
  }

  /** Whether the results of what is submitted leave capacity for more. */
  get hasResultCapacity(): boolean {
    return this.resultBytes + this.running * this.#expectedBytes <= this.#options.bufferBytes
  }

  removed(chunk: MapChunk): void {
    this.#bytes -= chunk.bytes
    this.resultBytes -= chunk.resultBytes
  }

  /** A chunk settled with results of that many bytes each, on average. */
  measured(bytesPerResult: number): void {
    const before = this.#measuredBytes ?? bytesPerResult
    this.#measuredBytes = before + (bytesPerResult - before) / 4
  }
}
