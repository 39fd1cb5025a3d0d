import { fc } from "@fast-check/vitest"

const numbers = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(-0, NaN, Infinity, -Infinity))

const primitive = fc.oneof(
  fc.constantFrom(undefined, null, true, false),
  numbers,
  fc.bigInt(),
  fc.string({ unit: "binary" }),
  // Half of a surrogate pair.
  fc.constantFrom("\ud800", "a\udfff", "")
)

const bytes = fc.uint8Array({ maxLength: 200 })

const leaf = fc.oneof(
  { weight: 8, arbitrary: primitive },
  fc.date({ noInvalidDate: false }),
  fc.constantFrom(/a/g, /\u{1F600}/u, /(?<n>x)/dy),
  primitive.filter((value) => value !== null && value !== undefined).map((value) => Object(value) as unknown),
  bytes,
  bytes.map((value) => Buffer.from(value)),
  bytes.map((value) => value.buffer.slice(0)),
  bytes.map((value) => new DataView(value.buffer, Math.min(1, value.length))),
  bytes.map((value) => value.subarray(1)),
  fc.array(numbers).map((value) => new Float64Array(value)),
  fc.array(fc.bigInt(0n, 2n ** 64n - 1n)).map((value) => new BigUint64Array(value)),
  fc.constantFrom(Error, TypeError, RangeError).chain((Class) => fc.string().map((message) => new Class(message)))
)

const names = fc.oneof(
  fc.string(),
  fc.constantFrom("a", "b", "__proto__", "constructor", "toString", "length", "0", "7")
)

const define = (target: object, name: string, value: unknown): void => {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })
}

/**
 * Any value that can travel: a handful of containers whose places are filled with leaves and with each other, so that
 * cycles and shared references come by themselves.
 */
export const portable: fc.Arbitrary<unknown> = fc.record({
  kinds: fc.array(fc.constantFrom("object", "null", "array", "holes", "map", "set", "error", "class"), {
    maxLength: 24
  }),
  edges: fc.array(fc.record({ from: fc.nat(), to: fc.nat(), key: names, at: fc.nat(12) }), {
    maxLength: 60
  }),
  leaves: fc.array(fc.record({ from: fc.nat(), key: names, at: fc.nat(12), value: leaf }), { maxLength: 60 }),
  alone: leaf
}).map(({ alone, edges, kinds, leaves }) => {
  if (kinds.length === 0) return alone
  const containers = kinds.map(container)
  for (const { at, from, key, value } of leaves) place(containers[from % containers.length]!, key, at, value)
  for (const edge of edges) {
    place(containers[edge.from % containers.length]!, edge.key, edge.at, containers[edge.to % containers.length])
  }
  return containers[0]
})

class Instance {
  always = 1
}

const container = (kind: string): object => {
  switch (kind) {
    case "object":
      return {}
    case "null":
      return Object.create(null)
    case "array":
      return []
    case "holes":
      return new Array(3)
    case "map":
      return new Map()
    case "set":
      return new Set()
    case "error":
      return new SyntaxError("e")
    default:
      return new Instance()
  }
}

const place = (target: object, name: string, at: number, value: unknown): void => {
  if (target instanceof Map) target.set(at % 2 === 0 ? name : value, value)
  else if (target instanceof Set) target.add(value)
  else if (target instanceof Error) {
    Object.defineProperty(target, "cause", { value, configurable: true, writable: true })
  } else if (!Array.isArray(target)) define(target, name, value)
  else if (at > 10 && name !== "length") define(target, name, value)
  else target[at] = value
}
