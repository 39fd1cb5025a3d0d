/**
 * A value in words, exact to the last bit: classes, order of keys and entries, holes, which references are shared, what bytes a view shows. Two values
 * are clones of each other when their portraits are equal. Loaded by workers too, so that a task can say what it sees.
 */
import { AssertionError } from "node:assert"
import { types } from "node:util"

/** Throws an `AssertionError` with both portraits when they differ. */
export const assertSame = (actual: unknown, expected: unknown): void => {
  const [found, wanted] = [portray(actual), portray(expected)]
  if (found === wanted) return
  throw new AssertionError({
    message: `Got\n${found}\nexpected\n${wanted}`,
    actual: found,
    expected: wanted,
    operator: "assertSame"
  })
}

/** One line for each object, in the order in which they are met: `#0 Array [#1, -0]`. */
export const portray = (value: unknown): string => {
  const painter = new Painter()
  const root = painter.mention(value)
  return [root, ...painter.lines].join("\n")
}

class Painter {
  readonly lines: Array<string> = []
  readonly #numbers = new Map<object, number>()

  /** A primitive itself, an object by its number. */
  mention(value: unknown): string {
    if (typeof value === "string") return textOf(value)
    if (typeof value === "bigint") return `${value}n`
    if (typeof value === "symbol") return String(value)
    if ((typeof value !== "object" && typeof value !== "function") || value === null) {
      return Object.is(value, -0)
        ? "-0"
        : String(value)
    }
    let number = this.#numbers.get(value)
    if (number === undefined) {
      this.#numbers.set(value, number = this.#numbers.size)
      this.lines[number] = ""
      this.lines[number] = `#${number} ${classOf(value)}${this.#inside(value)}${
        ArrayBuffer.isView(value) ? "" : this.#fields(value)
      }`
    }
    return `#${number}`
  }

  /** What an object holds besides its properties. */
  #inside(object: object): string {
    if (Array.isArray(object)) return ` of ${object.length}`
    if (types.isDate(object)) return ` ${object.getTime()}`
    if (types.isRegExp(object)) return ` ${textOf(object.source)} ${object.flags} ${object.lastIndex}`
    if (types.isBoxedPrimitive(object)) return ` ${this.mention(object.valueOf())}`
    if (types.isMap(object)) {
      return ` (${[...object].map(([key, value]) => `${this.mention(key)} => ${this.mention(value)}`).join(", ")})`
    }
    if (types.isSet(object)) return ` (${[...object].map((value) => this.mention(value)).join(", ")})`
    if (types.isNativeError(object)) {
      const cause = Object.hasOwn(object, "cause") ? ` because of ${this.mention(object.cause)}` : ""
      return ` ${textOf(object.name)} ${textOf(object.message)}${cause} ${this.mention(object.stack)}`
    }
    if (types.isAnyArrayBuffer(object)) {
      const { maxByteLength, resizable } = object as ArrayBuffer
      return ` ${hexOf(new Uint8Array(object))}${resizable ? ` of at most ${maxByteLength}` : ""}`
    }
    if (ArrayBuffer.isView(object)) {
      return ` ${hexOf(new Uint8Array(object.buffer, object.byteOffset, object.byteLength))}`
    }
    return ""
  }

  #fields(object: object): string {
    const fields = Object.keys(object).map((key) =>
      `${textOf(key)}: ${this.mention((object as Record<string, unknown>)[key])}`
    )
    return ` {${fields.join(", ")}}`
  }
}

const classOf = (object: object): string => {
  const prototype: unknown = Object.getPrototypeOf(object)
  return prototype === null ? "(no class)" : (prototype as object).constructor.name
}

const textOf = (text: string): string => JSON.stringify(text)

const hexOf = (bytes: Uint8Array): string => bytes.length === 0 ? "(no bytes)" : Buffer.from(bytes).toString("hex")
