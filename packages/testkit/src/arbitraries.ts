/**
 * Arbitrary values that can travel: everything that promise 1 lists. Strangers may use them for codecs of their own.
 */
import * as fc from "fast-check"

/** Text of any 16-bit units, lone surrogates included. */
const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 }).map((codes) =>
  String.fromCharCode(...codes)
)
const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  units,
  fc.constantFrom("", "\ud800", "a\udfffb", "\0")
)

const number = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(NaN, -0, 0, Infinity, -Infinity, Number.MAX_SAFE_INTEGER, Number.MIN_VALUE)
)

/** Values without identity. */
export const primitive = (): fc.Arbitrary<unknown> =>
  fc.oneof(
    fc.constant(undefined),
    fc.constant(null),
    fc.boolean(),
    number,
    fc.bigInt(),
    fc.constantFrom(0n, -(2n ** 64n)),
    text
  )

const viewClasses = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array
] as const

const bytes = fc.uint8Array({ maxLength: 64 })

const arrayBuffer = fc.tuple(bytes, fc.option(fc.nat(32), { nil: undefined })).map(([content, room]) => {
  const buffer = room === undefined
    ? new ArrayBuffer(content.length)
    : new ArrayBuffer(content.length, { maxByteLength: content.length + room })
  new Uint8Array(buffer).set(content)
  return buffer
})

/** A view of any kind, often on a part of a larger buffer. */
const view = fc.tuple(
  fc.constantFrom(...viewClasses),
  fc.nat(4),
  fc.nat(4),
  fc.uint8Array({ minLength: 64, maxLength: 96 })
)
  .map(([View, skip, length, content]) => new View(content.slice().buffer, skip * View.BYTES_PER_ELEMENT, length))
const dataView = fc.tuple(bytes, fc.nat(3)).map(([content, skip]) =>
  new DataView(content.slice().buffer, Math.min(skip, content.length))
)
const nodeBuffer = bytes.map((content) => Buffer.from(content))

const regExp = fc.tuple(
  fc.constantFrom("a", "(?<word>\\w+)|b", "[^/]", "", "\u{1f600}+"),
  fc.subarray(["d", "g", "i", "m", "s", "u", "y"])
)
  .map(([source, flags]) => new RegExp(source, flags.join("")))

const boxed = fc.oneof(fc.boolean(), number, fc.bigInt(), text).map((value) => Object(value) as object)

const errorClasses = [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError] as const
const error = fc.tuple(fc.constantFrom(...errorClasses), text, fc.option(fc.tuple(primitive()), { nil: undefined }))
  .map(([Class, message, cause]) => cause === undefined ? new Class(message) : new Class(message, { cause: cause[0] }))

/** Objects that hold no others. */
export const leafObject = (): fc.Arbitrary<object> =>
  fc.oneof(fc.date({ noInvalidDate: false }), regExp, boxed, view, dataView, arrayBuffer, nodeBuffer, error)

/** Names that code which copies objects gets wrong. */
const key = fc.oneof(
  { weight: 3, arbitrary: fc.string({ maxLength: 4 }) },
  fc.constantFrom("__proto__", "constructor", "toString", "then", "length", "0", "-1", "", "_tag", "\ud800")
)

const put = (target: object, name: string, value: unknown): void => {
  Object.defineProperty(target, name, { value, configurable: true, enumerable: true, writable: true })
}

const objectOf = (entries: ReadonlyArray<readonly [string, unknown]>): object => {
  const object = {}
  for (const [name, value] of entries) put(object, name, value)
  return object
}

/** An array with holes where a slot is absent. */
const arrayOf = (slots: ReadonlyArray<readonly [unknown] | undefined>): Array<unknown> => {
  const array: Array<unknown> = []
  array.length = slots.length
  slots.forEach((slot, index) => slot === undefined || (array[index] = slot[0]))
  return array
}

const tree: fc.Memo<unknown> = fc.memo((depth) => {
  if (depth <= 1) return fc.oneof({ weight: 3, arbitrary: primitive() }, leafObject())
  const inner = tree(depth - 1)
  return fc.oneof(
    { depthIdentifier: "cloneable" },
    primitive(),
    leafObject(),
    fc.array(fc.tuple(key, inner), { maxLength: 5 }).map(objectOf),
    fc.array(fc.option(fc.tuple(inner), { nil: undefined, freq: 6 }), { maxLength: 5 }).map(arrayOf),
    fc.array(fc.tuple(inner, inner), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(inner, { maxLength: 4 }).map((values) => new Set(values)),
    fc.tuple(text, inner).map(([message, cause]) => new Error(message, { cause }))
  )
})

/** A container of a graph, or a leaf of it: `links` lead to other nodes by number. */
interface Node {
  readonly kind: "object" | "array" | "map" | "set" | "leaf"
  readonly leaf: object
  readonly links: ReadonlyArray<readonly [name: string, to: number]>
}

const node: fc.Arbitrary<Node> = fc.record({
  kind: fc.constantFrom("object", "array", "map", "set", "leaf"),
  leaf: leafObject(),
  links: fc.array(fc.tuple(key, fc.nat(7)), { maxLength: 4 })
})

/** Objects that refer to each other in any way, themselves included: shared references and cycles. */
const graph: fc.Arbitrary<unknown> = fc.array(node, { minLength: 1, maxLength: 8 }).map((nodes) => {
  const objects = nodes.map(({ kind, leaf }): object => {
    if (kind === "leaf") return leaf
    return kind === "object" ? {} : kind === "array" ? [] : kind === "map" ? new Map() : new Set()
  })
  nodes.forEach(({ links }, index) => {
    const object = objects[index]!
    for (const [name, to] of links) {
      const target = objects[to % objects.length]!
      if (object instanceof Map) object.set(to % 2 === 0 ? name : target, target)
      else if (object instanceof Set) object.add(target)
      else if (Array.isArray(object)) object.push(target)
      else if (Object.getPrototypeOf(object) === Object.prototype) put(object, name, target)
    }
  })
  return objects[0]
})

/**
 * Any value that every backend can carry, cycles and shared references included.
 *
 * Compare with `isDeepStrictEqual` of `node:util`, or `assert.deepEqual` of `node:assert/strict`. `toStrictEqual` of vitest and Jest reads
 * `constructor` of an object to compare its class, so it takes a copy with an own field of that name for different.
 */
export const cloneable = (): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 3, arbitrary: tree(3) }, { weight: 2, arbitrary: graph })

/** Options of `map` that change how it runs, and, except for `ordered`, nothing of what it yields. */
interface MapRunOptions {
  readonly chunkSize?: number | "auto"
  readonly bufferSize?: number
  readonly bufferBytes?: number
  readonly ordered?: boolean
}

/**
 * How `map` may be told to chunk, buffer and order. Where the order matters, set it: `{ ...options, ordered: true }`.
 */
export const mapOptions = (): fc.Arbitrary<MapRunOptions> =>
  fc.record({
    chunkSize: fc.oneof(fc.constant("auto" as const), fc.integer({ min: 1, max: 9 })),
    bufferSize: fc.integer({ min: 1, max: 20 }),
    bufferBytes: fc.integer({ min: 1, max: 1_000 }),
    ordered: fc.boolean()
  }, { requiredKeys: [] })
