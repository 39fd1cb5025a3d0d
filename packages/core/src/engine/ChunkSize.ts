/** How many items a map sends together: as set, or as many as take about 4 ms. */

/** Worker time (ms) that a chunk aims at: hundreds of times the cost of sending it, small beside any balance that matters. */
export const CHUNK_MS = 4
/** A chunk that has run for so long returns what it has not started. */
const LONGEST_CHUNK_MS = 5 * CHUNK_MS
const LARGEST_CHUNK = 16_384

export class ChunkSize {
  /** `undefined`: follows the measured time of an item. */
  readonly #fixed: number | undefined
  readonly #chunkBytes: number
  readonly #bufferSize: number
  items: number
  /** Measured time of an item (ms); `undefined` before the first. */
  #itemMs: number | undefined

  /** `chunkBytes`: estimated bytes of a chunk's results, at most. */
  constructor(fixed: number | undefined, chunkBytes: number, bufferSize = Infinity) {
    this.#fixed = fixed
    this.items = fixed ?? 1
    this.#chunkBytes = chunkBytes
    this.#bufferSize = bufferSize
  }

  /** Time (ms) after which a chunk returns the items that it has not started. */
  get longestMs(): number {
    return this.#fixed === undefined ? LONGEST_CHUNK_MS : Infinity
  }

  /** Expected run time (ms) of this many items; `undefined` before any was measured. */
  expectedMs(count: number): number | undefined {
    return this.#itemMs === undefined ? undefined : this.#itemMs * count
  }

  /** A chunk has returned items: one of those before took long. */
  returned(): void {
    if (this.#fixed === undefined) this.items = 1
  }

  /**
   * `told` items of a chunk, out of `size`, ran for `ranMs` in all; `NaN` when the worker did not measure it.
   * `bytes`: estimated size of a result.
   */
  measured(ranMs: number, told: number, size: number, bytes: number): void {
    if (Number.isNaN(ranMs)) return
    const itemMs = this.#itemMs = Math.max(ranMs / told, 1e-6)
    if (this.#fixed !== undefined) return
    const byTime = CHUNK_MS / itemMs
    const byBytes = this.#chunkBytes / Math.max(bytes, 1e-6)
    const isSlow = told < size && ranMs > LONGEST_CHUNK_MS
    const most = isSlow ? 1 : Math.min(this.items * 4, LARGEST_CHUNK, this.#bufferSize / 4)
    this.items = Math.max(1, Math.floor(Math.min(byTime, byBytes, most)))
  }
}
