import { fc, test as property } from "@fast-check/vitest"
import * as assert from "node:assert/strict"
import { describe, expect, it } from "vitest"
import { encodeFrame, encodeParts, FrameReader } from "../../src/wire/bytes.ts"
import { captureArgs } from "../../src/wire/value.ts"
import { portable } from "./arbitraries.ts"
import { assertSameGraph } from "./graph.ts"

interface Read {
  readonly frames: unknown[]
  readonly errors: Error[]
  readonly push: (chunk: Uint8Array) => void
}

const read = (maxBytes?: number): Read => {
  const frames: unknown[] = []
  const errors: Error[] = []
  const reader = new FrameReader((frame) => frames.push(frame), (error) => errors.push(error), maxBytes)
  return { frames, errors, push: (chunk) => reader.push(chunk) }
}

const captured = fc.array(portable, { maxLength: 3 }).map((args) => {
  captureArgs(args, { sharesMemory: false })
  return args
})

/** A stream of frames, and where to cut it. */
const stream = fc.tuple(fc.array(captured, { maxLength: 5 }), fc.array(fc.nat())).map(([frames, places]) => {
  const bytes = Buffer.concat(frames.map(encodeFrame))
  const cuts = places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b)
  return { frames, bytes, chunks: [0, ...cuts].map((from, i) => bytes.subarray(from, cuts[i] ?? bytes.length)) }
})

describe("A reader", () => {
  property.prop([stream], { numRuns: 300 })(
    "gives back every frame in order, wherever the chunks end",
    ({ chunks, frames }) => {
      const { errors, frames: got, push } = read()
      for (const chunk of chunks) push(chunk)
      assert.deepEqual(errors, [])
      assert.equal(got.length, frames.length)
      got.forEach((frame, i) => assertSameGraph(frame, structuredClone(frames[i])))
    }
  )

  property.prop([stream], { numRuns: 300 })(
    "does not mind that the memory of a chunk is used again",
    ({ chunks, frames }) => {
      const { errors, frames: got, push } = read()
      const memory = new Uint8Array(Math.max(0, ...chunks.map((chunk) => chunk.length)))
      for (const chunk of chunks) {
        memory.set(chunk)
        push(memory.subarray(0, chunk.length))
        memory.fill(255)
      }
      assert.deepEqual(errors, [])
      got.forEach((frame, i) => assertSameGraph(frame, structuredClone(frames[i])))
    }
  )

  property.prop([stream, fc.nat()])(
    "says nothing about a stream that is cut off: the frame may still come",
    ({ bytes, frames }, cut) => {
      const { errors, frames: got, push } = read()
      const end = cut % (bytes.length + 1)
      push(bytes.subarray(0, end))
      assert.deepEqual(errors, [])
      assert.ok(got.length < frames.length || end === bytes.length)
      push(bytes.subarray(end))
      assert.equal(got.length, frames.length)
    }
  )

  property.prop([fc.array(fc.uint8Array({ maxLength: 300 }))], { numRuns: 1000 })(
    "never throws on noise, and reports it once",
    (chunks) => {
      const { errors, push } = read(1000)
      for (const chunk of chunks) push(chunk)
      assert.ok(errors.length <= 1)
    }
  )

  property.prop([captured, fc.nat(), fc.integer({ min: 1, max: 255 })], { numRuns: 1000 })(
    "never throws on a frame in which a byte is wrong",
    (frame, place, change) => {
      const bytes = Buffer.from(encodeFrame(frame))
      const at = 4 + place % (bytes.length - 4)
      bytes[at] = bytes[at]! ^ change
      const { errors, frames, push } = read()
      push(bytes)
      assert.equal(errors.length + frames.length, 1)
    }
  )

  property.prop([captured, fc.nat()], { numRuns: 300 })(
    "reports a body that ends too early, and closes",
    (frame, place) => {
      const whole = encodeFrame(frame)
      const shorter = Buffer.from(whole.subarray(0, 4 + place % (whole.length - 4)))
      shorter.writeUInt32LE(shorter.length - 4)
      const { errors, frames, push } = read()
      push(shorter)
      push(whole)
      assert.deepEqual([errors.length, frames.length], [1, 0])
    }
  )

  it("reports a body that is longer than what it says", () => {
    const bytes = Buffer.concat([encodeFrame([1]), Buffer.from([0])])
    bytes.writeUInt32LE(bytes.length - 4)
    const { errors, push } = read()
    push(bytes)
    assert.match(errors[0]!.message, /not a frame/)
  })

  it("reports what is no array", () => {
    const { errors, push } = read()
    push(encodeFrame({ a: 1 }))
    assert.equal(errors.length, 1)
  })

  it("refuses a frame that is too long as soon as it knows its length", () => {
    const { errors, push } = read(100)
    push(Buffer.from([101, 0, 0]))
    assert.equal(errors.length, 0)
    push(Buffer.from([0]))
    assert.match(errors[0]!.message, /101 bytes/)
    push(encodeFrame([1]))
    assert.equal(errors.length, 1)
  })

  it("takes up to a gibibyte by default, and no more", () => {
    const { errors, push } = read()
    push(Buffer.from([1, 0, 0, 64]))
    assert.match(errors[0]!.message, /1073741825 bytes/)
  })

  it("closes when the one who takes the frames throws, whatever that was", () => {
    for (const thrown of [new Error("mine"), undefined]) {
      const errors: Error[] = []
      const reader = new FrameReader(
        () => {
          throw thrown
        },
        (error) => errors.push(error)
      )
      reader.push(Buffer.concat([encodeFrame([1]), encodeFrame([2])]))
      assert.equal(errors.length, 1)
      assert.equal(thrown === undefined ? errors[0]!.cause : errors[0], thrown)
    }
  })

  it("puts frames together that are larger than a chunk, byte by byte if need be", () => {
    const small = encodeFrame([new Uint8Array([1, 2, 3]), "text"])
    const large = encodeFrame([new Uint8Array(1_000_000).fill(7)])
    const { errors, frames, push } = read()
    for (const byte of small) push(Uint8Array.of(byte))
    for (let at = 0; at < large.length; at += 65_536) push(large.subarray(at, at + 65_536))
    push(small)
    assert.deepEqual(errors, [])
    assert.deepEqual(frames, [[new Uint8Array([1, 2, 3]), "text"], [new Uint8Array(1_000_000).fill(7)], [
      new Uint8Array([1, 2, 3]),
      "text"
    ]])
  })
})

describe("Large views", () => {
  it("arrive as they were, among small ones, wherever the chunks end", () => {
    const sizes = [65_535, 65_536, 3, 200_000, 0, 65_544]
    const views = sizes.map((size, at) => new Uint8Array(size).map((_, i) => (i * 7 + at) % 256))
    const frame = [...views, new Float64Array(9000).fill(1.5), { nested: [views[3]] }]
    const bytes = encodeFrame(frame)
    for (const step of [bytes.length, 65_536, 4099, 100_003]) {
      const { errors, frames, push } = read()
      const both = Buffer.concat([bytes, encodeFrame([1]), bytes])
      for (let at = 0; at < both.length; at += step) push(both.subarray(at, at + step))
      assert.deepEqual(errors, [])
      assert.deepEqual(frames, [frame, [1], frame])
      for (const view of (frames[0] as Array<unknown>).slice(0, views.length)) {
        assert.equal((view as Uint8Array).buffer.byteLength, (view as Uint8Array).byteLength)
      }
    }
  })

  property.prop([
    fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 5 }),
    fc.integer({ min: 1, max: 100_000 })
  ], {
    numRuns: 50
  })("are read to where they belong, by whoever asks for the room", (sizes, step) => {
    const frame = sizes.map((size, at) => new Uint8Array(size).fill(at + 1))
    const bytes = Buffer.concat([encodeFrame(frame), encodeFrame(frame)])
    const frames: Array<unknown> = []
    const reader = new FrameReader((each) => frames.push(each), assert.fail)
    const shared = Buffer.alloc(step)
    for (let at = 0; at < bytes.length;) {
      const into = reader.room ?? shared
      const count = bytes.copy(into, 0, at, at + step)
      reader.push(into.subarray(0, count))
      at += count
    }
    assert.deepEqual(frames, [frame, frame])
  })

  it("have no room of their own before and after their bytes, nor for their last few", () => {
    const bytes = encodeFrame([new Uint8Array(200_000)])
    const reader = new FrameReader(() => {}, assert.fail)
    const room = (): number | undefined => reader.room?.length
    const begin = bytes.length - 200_000
    assert.equal(room(), undefined)
    reader.push(bytes.subarray(0, begin))
    assert.equal(room(), 200_000)
    reader.push(bytes.subarray(begin, begin + 150_000))
    assert.equal(room(), undefined)
    reader.push(bytes.subarray(begin + 150_000))
    assert.equal(room(), undefined)
  })

  it("are not copied to be written", () => {
    const view = new Uint8Array(100_000)
    const [, part] = encodeParts([view])
    assert.equal(part!.buffer, view.buffer)
  })

  it("that are longer than their frame are reported", () => {
    const bytes = Buffer.from(encodeFrame([new Uint8Array(100_000)])).subarray(0, 90_000)
    bytes.writeUInt32LE(bytes.length - 4)
    const { errors, push } = read()
    push(bytes)
    assert.match(errors[0]!.message, /longer than the frame/)
  })
})

describe("A frame", () => {
  it("begins with the length of its body, four bytes, the lowest first", () => {
    const bytes = Buffer.from(encodeFrame(["x".repeat(1000)]))
    assert.equal(bytes.readUInt32LE(0), bytes.length - 4)
  })

  it("brings every kind of view back as what it was, with memory of its own", () => {
    const views = [
      Int8Array,
      Uint8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
      Float32Array,
      Float64Array
    ].map((View) => new View([1, 2, 3]))
    const frame = [
      "odd",
      ...views,
      new BigInt64Array([-1n]),
      new BigUint64Array([1n]),
      new DataView(new ArrayBuffer(3))
    ]
    const { frames, push } = read()
    push(encodeFrame(frame))
    const [got] = frames as [unknown[]]
    assert.deepEqual(got, frame)
    const buffers = got.slice(1).map((view) => (view as Uint8Array).buffer)
    assert.equal(new Set(buffers).size, buffers.length)
    for (const view of got.slice(1) as Uint8Array[]) assert.equal(view.buffer.byteLength, view.byteLength)
  })

  it("keeps one object one object", () => {
    const view = new Uint8Array([1])
    const { frames, push } = read()
    push(encodeFrame([view, { view }]))
    const [[first, second]] = frames as [[Uint8Array, { view: Uint8Array }]]
    assert.equal(first, second.view)
  })

  it("cannot hold what was never captured", () => {
    expect(() => encodeFrame([() => 1])).toThrow("could not be cloned")
    expect(() => encodeFrame([new SharedArrayBuffer(1)])).toThrow("SharedArrayBuffer")
  })
})
