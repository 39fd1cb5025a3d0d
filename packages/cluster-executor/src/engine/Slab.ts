/** Memory to read to, which is filled once: what was read to it stays as it is, for whoever sends it on from there. */
const BYTES = 256 * 2 ** 10
/** What is left is not used when it is less: small reads cost more than memory. */
const LEAST = 64 * 2 ** 10

export class Slab {
  #memory = Buffer.alloc(0)
  #filled = 0

  /** Where the next bytes are to be read to. */
  get room(): Uint8Array {
    if (this.#memory.length - this.#filled < LEAST) {
      this.#memory = Buffer.allocUnsafeSlow(BYTES)
      this.#filled = 0
    }
    return this.#memory.subarray(this.#filled)
  }

  /** Bytes were read: to the room, or elsewhere. */
  keep(chunk: Uint8Array): void {
    if (chunk.buffer === this.#memory.buffer) this.#filled += chunk.length
  }
}
