import * as assert from "node:assert/strict"
import { isAnyArrayBuffer, isBoxedPrimitive, isNativeError } from "node:util/types"

/**
 * Asserts that two values are equal for everyone who looks at them, in prototypes, the order of keys, and in which
 * places hold the same object. `deepStrictEqual` does not see the last two, and on Node 24 it ends the stack on an
 * error that is its own cause.
 */
export const assertSameGraph = (actual: unknown, expected: unknown): void => {
  assert.deepStrictEqual(outline(actual), outline(expected))
}

/**
 * Every object that can be reached, in the order in which it is first met, as a flat list: objects are named by their
 * position.
 */
const outline = (root: unknown): unknown[] => {
  const positions = new Map<object, number>()
  const met: object[] = []
  const name = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value
    let position = positions.get(value)
    if (position === undefined) {
      position = met.push(value) - 1
      positions.set(value, position)
    }
    return `#${position}`
  }
  const lines: unknown[] = [name(root)]
  for (const object of met) lines.push(describe(object, name))
  return lines
}

const describe = (object: object, name: (value: unknown) => unknown): unknown[] => {
  const line: unknown[] = [Object.getPrototypeOf(object)?.constructor.name]
  if (ArrayBuffer.isView(object)) {
    return [...line, bytes(object.buffer.slice(object.byteOffset, object.byteOffset + object.byteLength))]
  }
  if (isAnyArrayBuffer(object)) return [...line, bytes(object), (object as ArrayBuffer).maxByteLength]
  if (object instanceof Date) line.push(object.getTime())
  if (object instanceof RegExp) line.push(String(object), object.lastIndex)
  if (isBoxedPrimitive(object)) line.push(object.valueOf())
  if (object instanceof Map) { for (const [key, value] of object) line.push(name(key), name(value)) }
  if (object instanceof Set) { for (const value of object) line.push(name(value)) }
  if (Array.isArray(object)) line.push(object.length)
  if (isNativeError(object)) line.push(object.name, object.message, object.stack, "cause" in object, name(object.cause))
  for (const key of Reflect.ownKeys(object)) {
    const property = Object.getOwnPropertyDescriptor(object, key)!
    if (property.enumerable) line.push(key, "value" in property ? name(property.value) : "an accessor")
  }
  return line
}

const bytes = (buffer: ArrayBufferLike): string => Buffer.from(buffer as ArrayBuffer).toString("hex")
