/** Estimates how many bytes a value holds, to bound what is read ahead. */
import { isAnyArrayBuffer, isMap, isProxy, isSet, isSharedArrayBuffer } from "node:util/types"

/** Bytes of an object's own, besides its contents. */
const OBJECT_BYTES = 16
const NUMBER_BYTES = 8
/** Objects that are looked into for one estimate, at most; a longer list is judged by its first elements. */
const MOST_OBJECTS = 256

/**
 * An estimate in bytes: exact for buffers, views and strings (one byte a character), rough for objects. Runs no code of the value: neither getters nor
 * proxy traps. Shared memory counts as nothing, since it is not copied.
 */
export const sizeOf = (value: unknown): number => {
  switch (typeof value) {
    case "string":
      return value.length
    case "object":
      return value === null ? NUMBER_BYTES : new Estimate().object(value)
    default:
      return NUMBER_BYTES
  }
}

class Estimate {
  #left = MOST_OBJECTS
  readonly #seen = new Set<object>()

  object(value: object): number {
    if (ArrayBuffer.isView(value)) return isSharedArrayBuffer(value.buffer) ? OBJECT_BYTES : value.byteLength
    if (isAnyArrayBuffer(value)) return isSharedArrayBuffer(value) ? OBJECT_BYTES : value.byteLength
    if (isProxy(value) || this.#left === 0 || this.#seen.has(value)) return OBJECT_BYTES
    this.#left--
    this.#seen.add(value)
    if (Array.isArray(value)) return OBJECT_BYTES + this.#list(value.length, (at) => own(value, at))
    if (isMap(value)) return OBJECT_BYTES + this.#entries(mapEntries.call(value), mapSize.call(value))
    if (isSet(value)) return OBJECT_BYTES + this.#entries(setEntries.call(value), setSize.call(value))
    let bytes = OBJECT_BYTES
    for (const key of Object.keys(value)) bytes += this.#value(own(value, key))
    return bytes
  }

  #value(value: unknown): number {
    if (typeof value === "string") return value.length
    return typeof value === "object" && value !== null ? this.object(value) : NUMBER_BYTES
  }

  #list(length: number, elementAt: (index: number) => unknown): number {
    const looked = Math.min(length, MOST_OBJECTS)
    let bytes = 0
    for (let at = 0; at < looked; at++) bytes += this.#value(elementAt(at))
    return looked === length ? bytes : bytes / looked * length
  }

  #entries(entries: Iterable<readonly [unknown, unknown]>, size: number): number {
    let bytes = 0
    let looked = 0
    for (const [key, value] of entries) {
      bytes += this.#value(key) + this.#value(value)
      if (++looked === MOST_OBJECTS) break
    }
    return looked === 0 ? 0 : bytes / looked * size
  }
}

const mapEntries = Map.prototype.entries
const setEntries = Set.prototype.entries
const sizeGetter = (prototype: object): (this: object) => number =>
  Object.getOwnPropertyDescriptor(prototype, "size")!.get!
const mapSize = sizeGetter(Map.prototype)
const setSize = sizeGetter(Set.prototype)

/** A property as data; `undefined` for a getter, which is not called. */
const own = (value: object, key: PropertyKey): unknown => Object.getOwnPropertyDescriptor(value, key)?.value
