/**
 * Frames as bytes, for workers that share no memory.
 *
 * ```
 * ┌─────────────────────┬─────────────────────┬──────────────────────────┬─────────────────┐
 * │ length, 4 bytes, LE │ size, 4 bytes, LE   │ one v8 serialization     │ large views     │ next frame ...
 * └─────────────────────┴─────────────────────┴──────────────────────────┴─────────────────┘
 * ```
 *
 * `length` counts all that follows it, `size` the serialization. One serialization holds a whole batch: making a serializer costs ten times what a small
 * call adds to it. Large views follow it, each as its bytes, so that these are not copied to be written, and are read to where they belong.
 */
import { Deserializer, Serializer } from "node:v8"
import type { Frame } from "./frames.ts"
import { MAX_FRAME_BYTES, OversizedFrameError } from "./oversize.ts"
import { Special } from "./Special.ts"
import { viewConstructors, viewName, viewNames } from "./view.ts"

const lengthBytes = 4
const headerBytes = 8
const special = 255

/** From so many bytes on a view follows the serialization. */
const large = 64 * 1024
/** Set in the kind of such a view. */
const outside = 256

/** What the length of a frame has room for. */
const longestFrame = 0xffffffff

/**
 * @throws what `v8.serialize` throws for values that were never captured, and `OversizedFrameError` for a frame that is too long
 */
export const encodeFrame = (frame: unknown): Uint8Array => {
  const parts = encodeParts(frame)
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

/**
 * The same in parts, to be written one after another: all but the first are the memory of large views itself. `maxBytes`: what the
 * reader accepts; 1 GiB by default, at most 4 GiB.
 */
export const encodeParts = (frame: unknown, maxBytes: number = MAX_FRAME_BYTES): Array<Uint8Array> => {
  const writer = new FrameWriter()
  writer.writeRawBytes(noHeaderYet)
  writer.writeHeader()
  writer.writeValue(frame)
  const bytes = writer.releaseBuffer()
  const size = bytes.length - headerBytes
  const length = writer.views.reduce((sum, view) => sum + view.byteLength, bytes.length - lengthBytes)
  if (length > maxBytes || length > longestFrame) {
    throw new OversizedFrameError(length, Math.min(maxBytes, longestFrame))
  }
  bytes.writeUInt32LE(length, 0)
  bytes.writeUInt32LE(size, lengthBytes)
  return [bytes, ...writer.views]
}

const noHeaderYet = Buffer.alloc(headerBytes)

/**
 * Writes views by their own bytes and exact type; v8 alone would let them alias each other's memory on the other side.
 */
class FrameWriter extends Serializer {
  /** Bytes of large views, which follow. */
  readonly views: Array<Uint8Array> = []

  constructor() {
    super()
    // @ts-expect-error: documented by Node, unknown to its types.
    this._setTreatArrayBufferViewsAsHostObjects(true)
  }

  /** Called for views, and for native handles, which capture has refused. */
  _writeHostObject(object: ArrayBufferView): void {
    if (!ArrayBuffer.isView(object)) throw new TypeError("A native object cannot be written into a frame")
    const kind = object instanceof Special ? special : viewNames.indexOf(viewName(object))
    const isOutside = kind !== special && object.byteLength >= large
    this.writeUint32(isOutside ? kind | outside : kind)
    this.writeUint32(object.byteLength)
    if (isOutside) this.views.push(new Uint8Array(object.buffer, object.byteOffset, object.byteLength))
    else this.writeRawBytes(object as Uint8Array)
  }
}

class FrameParser extends Deserializer {
  /** Memory of large views, whose bytes follow. */
  readonly views: Array<Uint8Array> = []
  /** How many bytes may follow. */
  #following: number

  constructor(body: Uint8Array, following: number) {
    super(body)
    this.#following = following
  }

  _readHostObject(): unknown {
    const kind = this.readUint32()
    const length = this.readUint32()
    const bytes = (kind & outside) === 0 ? this.readRawBytes(length) : undefined
    if (kind === special) return Special.revive(bytes!)
    const View = viewConstructors.get(viewNames[kind & ~outside]!)
    if (View === undefined) throw new TypeError(`A frame holds a view of the unknown kind ${kind}`)
    // A copy: the message's own memory is reused for the next one, and this one's neighbours must not share it.
    const own = bytes === undefined ? this.#follow(length) : new Uint8Array(bytes)
    return View === Uint8Array ? own : new View(own.buffer)
  }

  #follow(length: number): Uint8Array {
    this.#following -= length
    if (this.#following < 0) throw new RangeError("A frame's views are longer than the frame")
    const view = new Uint8Array(length)
    this.views.push(view)
    return view
  }

  /** Whether all that was said to be there has been asked for. */
  isComplete(body: Uint8Array): boolean {
    return this.#following === 0 && body.byteOffset + body.byteLength === this.readRawBytes(0).byteOffset
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
  readonly #onFrame: (frame: Frame) => void
  readonly #onError: (error: Error) => void
  readonly #maxBytes: number
  #isClosed = false
  /** The bytes of a header, when a chunk ended among them. */
  readonly #header = Buffer.alloc(headerBytes)
  #headerFilled = 0
  /** What is being filled: a serialization, or a view that follows one; `undefined` between frames. */
  #target: Uint8Array | undefined
  #targetFilled = 0
  /** Bytes that follow the serialization of this frame. */
  #following = 0
  /** The frame whose views are being filled. */
  #frame: Frame | undefined
  /** Its views, the next to be filled last. */
  #views: Array<Uint8Array> = []
  /** Bytes of the frame that is being read. */
  #received = 0
  /** Made for the first frame that comes in pieces. */
  #scratch: Buffer | undefined

  /**
   * `onError` is called at most once; the reader ignores everything after that, because the next frame's start is not
   * known any more. `maxBytes` bounds what a broken length can make it wait for.
   */
  constructor(onFrame: (frame: Frame) => void, onError: (error: Error) => void, maxBytes: number = MAX_FRAME_BYTES) {
    this.#onFrame = onFrame
    this.#onError = onError
    this.#maxBytes = maxBytes
  }

  /**
   * Where the next bytes belong, all of them, if they are many: whoever reads them to there spares a copy. Asked anew after each `push`, which is then
   * given what was filled of it.
   */
  get room(): Uint8Array | undefined {
    const target = this.#target
    return target !== undefined && target.length - this.#targetFilled >= large
      ? target.subarray(this.#targetFilled)
      : undefined
  }

  /** How many bytes have arrived of a frame that is not complete yet; 0 between frames. */
  get arriving(): number {
    return this.#received
  }

  /** Never throws. */
  push(chunk: Uint8Array): void {
    try {
      let at = 0
      while (at < chunk.length && !this.#isClosed) {
        const next = this.#target === undefined ? this.#begin(chunk, at) : this.#fill(chunk, at)
        const isBetween = this.#target === undefined && this.#headerFilled === 0
        this.#received = isBetween ? 0 : this.#received + next - at
        at = next
      }
    } catch (error) {
      this.#isClosed = true
      this.#target = this.#scratch = this.#frame = undefined
      this.#views = []
      this.#onError(error instanceof Error ? error : new Error("A frame could not be taken", { cause: error }))
    }
  }

  /** Reads a header; parses at once if the chunk holds the whole serialization, which saves the copy. */
  #begin(chunk: Uint8Array, from: number): number {
    let at = from
    while (this.#headerFilled < headerBytes && at < chunk.length) this.#header[this.#headerFilled++] = chunk[at++]!
    if (this.#headerFilled < lengthBytes) return at
    const length = this.#header.readUInt32LE(0)
    if (length > this.#maxBytes) {
      throw new RangeError(`A frame of ${length} bytes is longer than the limit of ${this.#maxBytes}`)
    }
    if (this.#headerFilled < headerBytes) return at
    this.#headerFilled = 0
    const size = this.#header.readUInt32LE(lengthBytes)
    this.#following = length - lengthBytes - size
    if (this.#following < 0) throw new RangeError(`A frame of ${length} bytes says that it holds ${size}`)
    if (chunk.length - at >= size) {
      this.#parse(chunk.subarray(at, at + size))
      return at + size
    }
    this.#target = this.#room(size)
    this.#targetFilled = 0
    return at
  }

  #fill(chunk: Uint8Array, at: number): number {
    const target = this.#target!
    const end = Math.min(chunk.length, at + target.length - this.#targetFilled)
    const isThere = chunk.buffer === target.buffer && chunk.byteOffset === target.byteOffset + this.#targetFilled
    if (!isThere) target.set(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end), this.#targetFilled)
    this.#targetFilled += end - at
    if (this.#targetFilled < target.length) return end
    this.#target = undefined
    if (this.#frame === undefined) this.#parse(target)
    else this.#next()
    return end
  }

  /** Large frames get memory of their own, so that one of them does not stay for ever. */
  #room(length: number): Buffer {
    if (length > scratchBytes) return Buffer.allocUnsafeSlow(length)
    this.#scratch ??= Buffer.allocUnsafeSlow(scratchBytes)
    return this.#scratch.subarray(0, length)
  }

  #parse(body: Uint8Array): void {
    const parser = new FrameParser(body, this.#following)
    parser.readHeader()
    const frame: unknown = parser.readValue()
    if (!Array.isArray(frame) || !parser.isComplete(body)) throw new TypeError("What arrived is not a frame")
    this.#frame = frame
    this.#views = parser.views.toReversed()
    this.#next()
  }

  /** Goes on with the next view, or hands the frame over when there is none. */
  #next(): void {
    this.#target = this.#views.pop()
    this.#targetFilled = 0
    if (this.#target !== undefined) return
    const frame = this.#frame!
    this.#frame = undefined
    this.#onFrame(frame)
  }
}
