/**
 * Frames as bytes, for workers that share no memory.
 *
 * ```
 * ┌─────────────────────┬────────────────────────────────┐
 * │ length, 4 bytes, LE │ body: one v8 serialization     │ next frame ...
 * └─────────────────────┴────────────────────────────────┘
 * ```
 *
 * One serialization holds a whole batch: making a serializer costs ten times what a small call adds to it.
 */
import { Deserializer, Serializer } from "node:v8"
import { Special } from "./Special.ts"
import { viewConstructors, viewName, viewNames } from "./view.ts"

const headerBytes = 4
const special = 255

/** A frame may be this long, unless the reader is told otherwise: 1 GiB. */
const maxFrameBytes = 2 ** 30

/**
 * @throws what `v8.serialize` throws for values that were never captured, and RangeError for a body of 4 GiB or more
 */
export const encodeFrame = (frame: unknown): Uint8Array => {
  const writer = new FrameWriter()
  writer.writeRawBytes(noLengthYet)
  writer.writeHeader()
  writer.writeValue(frame)
  const bytes = writer.releaseBuffer()
  const length = bytes.length - headerBytes
  if (length > 0xffffffff) throw new RangeError(`A frame of ${length} bytes has no room for its length`)
  bytes.writeUInt32LE(length, 0)
  return bytes
}

const noLengthYet = Buffer.alloc(headerBytes)

/**
 * Writes views by their own bytes and exact type; v8 alone would let them alias each other's memory on the other side.
 */
class FrameWriter extends Serializer {
  constructor() {
    super()
    // @ts-expect-error: documented by Node, unknown to its types.
    this._setTreatArrayBufferViewsAsHostObjects(true)
  }

  /** Called for views, and for native handles, which capture has refused. */
  _writeHostObject(object: ArrayBufferView): void {
    if (!ArrayBuffer.isView(object)) throw new TypeError("A native object cannot be written into a frame")
    this.writeUint32(object instanceof Special ? special : viewNames.indexOf(viewName(object)))
    this.writeUint32(object.byteLength)
    this.writeRawBytes(object as Uint8Array)
  }
}

class FrameParser extends Deserializer {
  _readHostObject(): unknown {
    const kind = this.readUint32()
    const bytes = this.readRawBytes(this.readUint32())
    if (kind === special) return Special.revive(bytes)
    const View = viewConstructors.get(viewNames[kind]!)
    if (View === undefined) throw new TypeError(`A frame holds a view of the unknown kind ${kind}`)
    // A copy: the message's own memory is reused for the next one, and this one's neighbours must not share it.
    const copy = new Uint8Array(bytes)
    return View === Uint8Array ? copy : new View(copy.buffer)
  }

  /** How many bytes nobody has asked for. */
  left(body: Uint8Array): number {
    return body.byteOffset + body.byteLength - this.readRawBytes(0).byteOffset
  }
}

/** Where reassembled frames of up to this size are put together again and again. */
const scratchBytes = 256 * 1024

/**
 * Puts frames together from chunks that end anywhere. A chunk's memory may be reused as soon as `push` returns.
 *
 * ```
 * reading ──(too long, nonsense, onFrame throws)──▶ closed
 * ```
 */
export class FrameReader {
  readonly #onFrame: (frame: unknown) => void
  readonly #onError: (error: Error) => void
  readonly #maxBytes: number
  #isClosed = false
  /** The four bytes of a length, when a chunk ended among them. */
  readonly #header = Buffer.alloc(headerBytes)
  #headerFilled = 0
  /** The body that a chunk ended in, `undefined` between frames. */
  #body: Buffer | undefined
  #bodyFilled = 0
  /** Made for the first frame that comes in pieces. */
  #scratch: Buffer | undefined

  /**
   * `onError` is called at most once; the reader ignores everything after that, because the next frame's start is not
   * known any more. `maxBytes` bounds what a broken length can make it wait for.
   */
  constructor(onFrame: (frame: unknown) => void, onError: (error: Error) => void, maxBytes: number = maxFrameBytes) {
    this.#onFrame = onFrame
    this.#onError = onError
    this.#maxBytes = maxBytes
  }

  /** Never throws. */
  push(chunk: Uint8Array): void {
    try {
      let at = 0
      while (at < chunk.length && !this.#isClosed) {
        at = this.#body === undefined
          ? this.#begin(chunk, at)
          : this.#fill(chunk, at)
      }
    } catch (error) {
      this.#isClosed = true
      this.#body = this.#scratch = undefined
      this.#onError(error instanceof Error ? error : new Error("A frame could not be taken", { cause: error }))
    }
  }

  /** Reads a length; hands over the body at once if the chunk holds all of it, which saves the copy. */
  #begin(chunk: Uint8Array, from: number): number {
    let at = from
    let length: number
    if (this.#headerFilled === 0 && chunk.length - at >= headerBytes) {
      length = (chunk[at]! | (chunk[at + 1]! << 8) | (chunk[at + 2]! << 16) | (chunk[at + 3]! << 24)) >>> 0
      at += headerBytes
    } else {
      while (this.#headerFilled < headerBytes && at < chunk.length) this.#header[this.#headerFilled++] = chunk[at++]!
      if (this.#headerFilled < headerBytes) return at
      this.#headerFilled = 0
      length = this.#header.readUInt32LE(0)
    }
    if (length > this.#maxBytes) {
      throw new RangeError(`A frame of ${length} bytes is longer than the limit of ${this.#maxBytes}`)
    }
    if (chunk.length - at >= length) {
      this.#deliver(chunk.subarray(at, at + length))
      return at + length
    }
    this.#body = this.#room(length)
    this.#bodyFilled = 0
    return at
  }

  #fill(chunk: Uint8Array, at: number): number {
    const body = this.#body!
    const end = Math.min(chunk.length, at + body.length - this.#bodyFilled)
    body.set(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end), this.#bodyFilled)
    this.#bodyFilled += end - at
    if (this.#bodyFilled === body.length) {
      this.#body = undefined
      this.#deliver(body)
    }
    return end
  }

  /** Large frames get memory of their own, so that one of them does not stay for ever. */
  #room(length: number): Buffer {
    if (length > scratchBytes) return Buffer.allocUnsafeSlow(length)
    this.#scratch ??= Buffer.allocUnsafeSlow(scratchBytes)
    return this.#scratch.subarray(0, length)
  }

  #deliver(body: Uint8Array): void {
    const parser = new FrameParser(body)
    parser.readHeader()
    const frame: unknown = parser.readValue()
    if (!Array.isArray(frame) || parser.left(body) !== 0) throw new TypeError("What arrived is not a frame")
    this.#onFrame(frame)
  }
}
