import { fc, test as property } from "@fast-check/vitest"
import * as assert from "node:assert/strict"
import { runInNewContext } from "node:vm"
import { describe, expect, it } from "vitest"
import { encodeFrame, FrameReader } from "../../src/wire/bytes.ts"
import { captureArgs, captureValue } from "../../src/wire/value.ts"
import { portable } from "./arbitraries.ts"
import { assertSameGraph } from "./graph.ts"

const shares = { sharesMemory: true }
const apart = { sharesMemory: false }

const capture = (value: unknown, mode = shares): unknown => captureValue(value, "result", "result", mode, [])

const acrossBytes = (value: unknown): unknown => {
  let arrived: unknown
  const reader = new FrameReader(
    (frame) => {
      arrived = (frame as unknown[])[0]
    },
    (error) => {
      throw error
    }
  )
  reader.push(encodeFrame([value]))
  return arrived
}

describe("What is captured equals structuredClone", () => {
  property.prop([portable], { numRuns: 2000 })("in memory, for whatever can travel", (value) => {
    assertSameGraph(capture(value), structuredClone(value))
  })

  property.prop([portable], { numRuns: 2000 })("through a frame, for whatever can travel", (value) => {
    assertSameGraph(acrossBytes(capture(value, apart)), structuredClone(value))
  })

  property.prop([fc.array(portable, { maxLength: 4 })])(
    "as a tuple: what two arguments share is shared by their copies",
    (args) => {
      const twice = [...args, ...args]
      const expected = structuredClone(twice)
      captureArgs(twice, shares)
      assertSameGraph(twice, expected)
    }
  )

  property.prop([fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true
  })], { numRuns: 1000 })("for anything that fast-check can think of", (value) => {
    assertSameGraph(capture(value), structuredClone(value))
  })

  const cases: Record<string, () => unknown> = {
    "a match of a regular expression": () => /(?<a>.)b/d.exec("xab"),
    "a large array with a name": () => Object.assign(Array.from({ length: 1000 }, (_, i) => i), { name: "x" }),
    "a hole among objects": () => [{}, , { a: [,] }], // oxlint-disable-line no-sparse-arrays
    "objects after a hole": () => {
      const shared = { a: 1 }
      const array: unknown[] = [shared]
      array[5] = [shared, { shared }]
      array[4] = Object.create(null)
      return array
    },
    "an array of four billion holes": () => {
      const array: unknown[] = new Array(2 ** 32 - 1)
      array[2 ** 32 - 2] = { last: true }
      array[77] = 1
      return array
    },
    "an own __proto__": () => JSON.parse("{\"__proto__\":{\"a\":1},\"b\":[{\"__proto__\":null}]}"),
    "an own __proto__ in an array": () => {
      const array = [1]
      Object.defineProperty(array, "__proto__", { value: { a: 1 }, enumerable: true })
      return array
    },
    "integer keys first": () => ({ b: 1, 2: 1, a: 1, 1: 1 }),
    "symbol keys, hidden keys and accessors": () =>
      Object.defineProperties({ shown: 1, [Symbol("s")]: 1 }, {
        hidden: { value: () => 1 },
        accessor: { get: () => "value", enumerable: true }
      }),
    "an instance of a class": () =>
      new class Point {
        x = 1
        #y = 2
        get y() {
          return this.#y
        }
        method() {}
      }(),
    "an instance of an old class": () => {
      function Old(this: { own: number }) {
        this.own = 1
      }
      Old.prototype.inherited = () => 1
      return Reflect.construct(Old, [])
    },
    "subclasses of built-in classes": () => [
      new class extends Map<number, number> {
        extra = 1
      }([[1, 2]]),
      new class extends Set<number> {
        override add(value: number) {
          return super.add(value + 1)
        }
      }([1]),
      new class Numbers extends Array<number> {
        static override get [Symbol.species](): ArrayConstructor {
          throw new Error("asked")
        }
      }(1, 2),
      new class extends Date {
        extra = 1
      }(0),
      new class extends Uint8Array {
        extra = 1
      }(3),
      new class extends ArrayBuffer {
        extra = 1
      }(3)
    ],
    "a map that lies about its keys": () => {
      const map = new Map([[{ a: 1 }, [1]]])
      return Object.assign(map, { keys: () => [], values: () => [], entries: () => [], forEach: () => 1 })
    },
    "a large array with a name and a getter that throws under a symbol": () =>
      Object.defineProperties(Object.assign(new Array(100).fill(1), { name: "x" }), {
        [Symbol.toStringTag]: { get: () => assert.fail("asked") }
      }),
    "an array that is not to be spread": () => Object.assign([1, [2], {}], { [Symbol.isConcatSpreadable]: false }),
    "a resizable buffer": () => new ArrayBuffer(4, { maxByteLength: 8 }),
    "boxed primitives": () => [Object(1), Object("text"), Object(true), Object(1n)],
    "an invalid date": () => new Date(NaN),
    "a regular expression that is in use": () => Object.assign(/a/g, { lastIndex: 3 }),
    errors: () => [new RangeError("r", { cause: { deep: [new Date(1)] } }), new AggregateError([1], "a")],
    "an error of an unknown name": () => Object.assign(new Error("m"), { name: "Custom", code: 1 }),
    "an error without a message": () => new TypeError(),
    "an error whose message is no text": () => Object.assign(new TypeError("x"), { message: 5 }),
    "an error that is its own cause": () => {
      const error = new Error("e")
      error.cause = error
      return error
    },
    "an error whose stack was replaced": () => Object.assign(new Error("e", { cause: {} }), { stack: "mine" }),
    "an error whose stack is no text": () => Object.assign(new Error("e", { cause: {} }), { stack: 5 }),
    "an error that was caused by a DOMException": () => {
      const cause = new DOMException("m", "AbortError")
      return [new Error("e", { cause }), { cause }]
    },
    "a DOMException": () => new DOMException("m", "AbortError"),
    "objects of another realm": () =>
      runInNewContext("[{}, { a: [1, , {}] }, new Map([[{}, new Date(1)]]), new RangeError('x'), new Uint8Array(3)]"),
    "a thousand levels": () => nested(1000),
    "the environment": () => process.env
  }
  for (const [name, make] of Object.entries(cases)) {
    it(`for ${name}`, () => {
      const value = make()
      assertSameGraph(capture(value), structuredClone(value))
      assertSameGraph(acrossBytes(capture(value, apart)), structuredClone(value))
    })
  }

  it("also when Object.prototype is polluted", () => {
    // oxlint-disable-next-line no-extend-native
    Object.defineProperty(Object.prototype, "polluted", { value: () => 1, enumerable: true, configurable: true })
    try {
      assert.deepEqual(Object.keys(capture({ a: { b: 1 } }) as object), ["a"])
      assert.throws(() => capture(Math), { value: "Math" })
    } finally {
      delete (Object.prototype as Record<string, unknown>)["polluted"]
    }
  })

  it("a DOMException keeps its name, code and stack through a frame", () => {
    const source = new DOMException("stop \ud800", "AbortError")
    const { error } = acrossBytes(capture({ error: source }, apart)) as { error: DOMException }
    assert.ok(error instanceof DOMException)
    assert.deepEqual([error.name, error.code, error.message, error.stack], [
      "AbortError",
      20,
      source.message,
      source.stack
    ])
  })
})

const nested = (levels: number): unknown => {
  let value: unknown = "core"
  for (let i = 0; i < levels; i++) value = i % 3 === 0 ? [value] : i % 3 === 1 ? { value } : new Map([[1, value]])
  return value
}

describe("What is captured", () => {
  it("does not change when the source does", () => {
    const source = { list: [{ a: 1 }], bytes: new Uint8Array([1]), map: new Map([["k", new Date(1)]]) }
    const args = [source]
    captureArgs(args, shares)
    source.list[0]!.a = 2
    source.bytes[0] = 2
    source.map.get("k")!.setTime(2)
    assert.deepEqual(args, [{ list: [{ a: 1 }], bytes: new Uint8Array([1]), map: new Map([["k", new Date(1)]]) }])
  })

  it("carries only the bytes that a view shows, in a buffer of its own", () => {
    const pooled = Buffer.from("abc")
    const copy = capture(pooled) as Uint8Array
    assert.equal(copy.constructor, Uint8Array)
    assert.equal(copy.buffer.byteLength, 3)
    const arrived = acrossBytes([new Uint16Array([1, 2]), new DataView(new ArrayBuffer(9), 1, 7)]) as [
      Uint16Array,
      DataView
    ]
    assert.equal(arrived[0].buffer.byteLength, 4)
    assert.equal(arrived[1].buffer.byteLength, 7)
  })

  it("names the buffers that may be transferred, where memory is shared", () => {
    const large = new Uint8Array(5000)
    const args = [{ large }, new ArrayBuffer(5000), 1]
    const transfers = captureArgs(args, shares)!
    assert.deepEqual(transfers, [(args[0] as { large: Uint8Array }).large.buffer, args[1]])
    assert.ok(!transfers.includes(large.buffer))
    assert.equal(captureArgs([large], apart), undefined)
    assert.equal(captureArgs([1, {}], shares), undefined)
  })

  it("stays shared where memory is shared", () => {
    const shared = new SharedArrayBuffer(8)
    const [buffer, view] = capture([shared, Buffer.from(shared, 4)]) as [SharedArrayBuffer, Uint8Array]
    new Uint8Array(shared).fill(7)
    assert.deepEqual([...new Uint8Array(buffer)], [7, 7, 7, 7, 7, 7, 7, 7])
    assert.deepEqual([view.constructor, view.byteOffset, [...view]], [Uint8Array, 4, [7, 7, 7, 7]])
  })

  it("may hold, where memory is shared, what Node itself can clone", () => {
    const blob = new Blob(["abc"])
    const [first, second] = capture([{ blob }, blob]) as [{ blob: Blob }, Blob]
    assert.ok(first.blob instanceof Blob)
    assert.equal(first.blob, second)
    const named = Object.assign(new Blob(["abc"]), { note: 1 })
    const clones = capture([named, named]) as Blob[]
    assert.ok(clones[0] instanceof Blob)
    assert.equal(clones[0], clones[1])
  })

  it("is right although a getter hands in another call in the middle", () => {
    const inner: unknown[] = [{ a: [1] }]
    const shared = { s: 1 }
    const outer = {
      shared,
      get nested() {
        captureArgs(inner, shares)
        return [shared]
      },
      last: shared
    }
    assertSameGraph(capture(outer), structuredClone(outer))
    assert.deepEqual(inner, [{ a: [1] }])
  })

  it("does not follow what a getter adds or removes meanwhile", () => {
    const make = () => ({
      get first() {
        const self = this as Record<string, unknown>
        delete self["second"]
        self["third"] = 3
        return 1
      },
      second: 2
    })
    assertSameGraph(capture(make()), structuredClone(make()))
    class Instance {}
    assertSameGraph(
      capture(Object.defineProperties(new Instance(), Object.getOwnPropertyDescriptors(make()))),
      structuredClone(make())
    )
    const map = new Map<unknown, unknown>([[1, {
      get grow() {
        map.set(map.size, {})
        return 1
      }
    }]])
    assert.equal((capture(map) as Map<unknown, unknown>).size, 1)
  })

  it("takes a list of instances in time that grows with its length, not with its square", () => {
    let reads = 0
    class Node {
      next: Node | undefined
      constructor(next: Node | undefined) {
        this.next = next
        Object.defineProperty(this, "read", { get: () => ++reads, enumerable: true })
      }
    }
    let list: Node | undefined
    for (let i = 0; i < 900; i++) list = new Node(list)
    capture(list)
    assert.ok(reads <= 901, `${reads} reads`)
  })
})

describe("Where memory is shared, transfer moves", () => {
  it("buffers, views on them, and ports, wherever they are in the arguments", () => {
    const bytes = new Uint8Array([1, 2, 3])
    const { port1, port2 } = new MessageChannel()
    const args = [{ bytes, copied: new Uint8Array(5000) }, new Map([["port", port1]])]
    const transfers = captureArgs(args, shares, [bytes.buffer, port1])!
    assert.equal(bytes.byteLength, 0)
    const [first, second] = args as [{ bytes: Uint8Array; copied: Uint8Array }, Map<string, { close(): void }>]
    assert.deepEqual([...first.bytes], [1, 2, 3])
    assert.deepEqual(transfers, [first.bytes.buffer, second.get("port"), first.copied.buffer])
    second.get("port")!.close()
    port2.close()
  })

  it("nothing at all when anything is refused", () => {
    const bytes = new Uint8Array([1, 2, 3])
    expect(() => captureArgs([bytes, () => 1], shares, [bytes.buffer])).toThrow("args[1]")
    const detached = new ArrayBuffer(1)
    structuredClone(detached, { transfer: [detached] })
    expect(() => captureArgs([bytes], shares, [bytes.buffer, detached])).toThrow("transfer")
    assert.equal(bytes.byteLength, 3)
  })

  it("and so it does for a result, or nothing at all", () => {
    const bytes = new Uint8Array([1, 2, 3])
    const result = { bytes, copied: new Uint8Array(5000) }
    const captureMoving = (value: unknown, transfers: Array<ArrayBuffer>) =>
      captureValue(value, "result", "result", shares, transfers, [bytes.buffer])
    expect(() => captureMoving({ bytes, callback: () => 1 }, [])).toThrow("result.callback")
    // Node keeps the memory that small buffers share.
    const pooled = Buffer.from("pooled")
    expect(() => captureValue(pooled, "result", "result", shares, [], [pooled.buffer as ArrayBuffer])).toThrow(
      "transfer"
    )
    const others = [new ArrayBuffer(1)]
    const copy = captureMoving(result, others) as typeof result
    assert.deepEqual([bytes.byteLength, result.copied.byteLength], [0, 5000])
    assert.deepEqual(copy, { bytes: new Uint8Array([1, 2, 3]), copied: new Uint8Array(5000) })
    assert.deepEqual(others, [new ArrayBuffer(1), copy.bytes.buffer, copy.copied.buffer])
  })

  it("and elsewhere it copies", () => {
    const bytes = new Uint8Array([1, 2, 3])
    assert.deepEqual(captureValue(bytes, "result", "result", apart, [], [bytes.buffer]), bytes)
    assert.equal(bytes.byteLength, 3)
    const args: unknown[] = [bytes]
    assert.equal(captureArgs(args, apart, [bytes.buffer]), undefined)
    assert.deepEqual([bytes.byteLength, args], [3, [new Uint8Array([1, 2, 3])]])
  })
})
