/**
 * The error codec: what a task threw, as plain data, and back. A record is a flat list of errors that name each other
 * by position, so neither cycles nor a chain of ten thousand causes are a special case.
 */
import { isProxy } from "node:util/types"
import { describe } from "../ExecutorError.ts"
import { baseOf, type Blueprint, classIn, type ErrorCodec, isKnownPrototype, make, positionIn } from "./errorClass.ts"
import { withoutOwnFrames } from "./ownFrames.ts"
import { hasPrivateState } from "./privateState.ts"
import { awaitingLines } from "./stack.ts"
import { type CaptureMode, captureValue, type LenientCapture, lenientCapture } from "./value.ts"

/** Portable: survives `structuredClone`, and a frame if it was made for one. */
export interface ErrorRecord {
  readonly thrown: Slot
  readonly errors: ReadonlyArray<EncodedError>
}

/** A value, an error of the record, or a list of such. */
type Slot = { readonly value: unknown } | { readonly error: number } | { readonly list: ReadonlyArray<Slot> }

interface EncodedError extends Blueprint {
  /** Where the class was in the list that the encoder was given, and its name, as the decoder's list may be another. */
  readonly listed: readonly [position: number, name: string] | undefined
  readonly stack: string | undefined
  /** What the `encode` of its class returned. */
  readonly encoded: { readonly value: unknown } | undefined
  /** Why it cannot be an instance of the listed class. */
  readonly notRebuilt: string | undefined
  readonly fields: ReadonlyArray<Field>
}

type Field = readonly [key: string, slot: Slot, isEnumerable: boolean]

/** Fields that native errors do not show: they arrive also where a text stands in their place. */
const hidden = new Set(["cause", "errors", "error", "suppressed", "code", "_tag"])
/** What a class may hold on its prototype, as Effect's tagged errors do, and a listed class may set in its constructor. */
const inherited = ["code", "_tag"]
/** What every error has by other means. */
const common = new Set(["__proto__", "constructor", "message", "name", "stack"])
/** Fields of one error that come from prototypes, at most. */
const MAX_INHERITED = 100

/** Characters of a message or a stack. The rest is left out, and its length is said. */
const MAX_TEXT = 2 ** 20

/** A getter could make a new error each time that it is asked. */
const maxErrors = 10_000

/**
 * Never throws, whatever was thrown. `classes` are those that shall come back as instances; `decodeError` must be given
 * them too.
 */
export const encodeError = (thrown: unknown, mode: CaptureMode, classes: ReadonlyArray<unknown> = []): ErrorRecord => {
  try {
    return new Encoder(mode, classes).record(thrown)
  } catch (error) {
    return new Encoder(mode, []).record(new Error(`An error that cannot be described (${describe(error)})`))
  }
}

/**
 * What was thrown. Errors in it are new ones at each call: called in a reaction to the promise that someone awaits, the
 * stack of what was thrown goes on, after the frames in the worker, with the lines that await it.
 */
export const decodeError = (record: ErrorRecord, classes: ReadonlyArray<unknown> = []): unknown => {
  const errors = record.errors.map((encoded) => rebuild(encoded, entryOf(encoded, classes)))
  const thrown = fromSlot(record.thrown, errors)
  const awaiting = "error" in record.thrown ? awaitingLines(thrown as object) : ""
  errors.forEach((error, i) => fill(error, record.errors[i]!, errors))
  if (awaiting !== "" && Object.isExtensible(thrown)) {
    define(thrown as object, "stack", (thrown as Error).stack + awaiting, false)
  }
  return thrown
}

class Encoder {
  readonly #mode: CaptureMode
  readonly #classes: ReadonlyArray<unknown>
  /** Every error met so far, by its position in the record. */
  readonly #positions = new Map<object, number>()
  /** One for all fields of all errors, so that what they share is walked once. */
  readonly #lenient: LenientCapture

  constructor(mode: CaptureMode, classes: ReadonlyArray<unknown>) {
    this.#mode = mode
    this.#classes = classes
    this.#lenient = lenientCapture(mode, [])
  }

  record(thrown: unknown): ErrorRecord {
    const slot = this.#thrown(thrown)
    const errors: EncodedError[] = []
    // The map grows while it is read: each error may lead to others.
    for (const error of this.#positions.keys()) errors.push(this.#encode(error))
    return { thrown: slot, errors }
  }

  #thrown(thrown: unknown): Slot {
    const error = this.#asError(thrown)
    if (error !== undefined) return error
    try {
      return { value: captureValue(thrown, "error", "error", this.#mode, []) }
    } catch (notPortable) {
      return this.#asError(notPortable)!
    }
  }

  #asError(value: unknown): Slot | undefined {
    if (typeof value !== "object" || value === null) return undefined
    let position = this.#positions.get(value)
    if (position === undefined) {
      const isError = attempt(() => baseOf(value) !== undefined || positionIn(this.#classes, value) !== -1, false)
      if (!isError) return undefined
      position = this.#positions.size
      if (position >= maxErrors) return { value: "[too many errors]" }
      this.#positions.set(value, position)
    }
    return { error: position }
  }

  #encode(error: object): EncodedError {
    const position = attempt(() => positionIn(this.#classes, error), -1)
    const listed = position === -1 ? undefined : [position, classNameOf(classIn(this.#classes[position])!)] as const
    const base = attempt(() => baseOf(error), undefined)
    const { encoded, notRebuilt } = this.#listed(error, this.#classes[position])
    const fields = this.#fields(error, base !== undefined)
    // An error that arrives without its class would lose what the class says of all its instances.
    if (base !== undefined && (notRebuilt !== undefined || listed === undefined)) {
      this.#inherited(error, fields, notRebuilt !== undefined)
    }
    const shared = { base, listed, encoded, notRebuilt, fields }
    // An instance of a listed class that is no error: all that it has is fields.
    if (base === undefined) return { ...shared, name: undefined, message: undefined, stack: undefined }
    const name = read(error, "name", () => undefined)
    const stack = read(error, "stack", () => undefined)
    return {
      ...shared,
      name,
      message: this.#message(error),
      stack: stack === undefined ? undefined : cut(withoutOwnFrames(stack))
    }
  }

  /** What an instance of a listed class needs besides its fields. */
  #listed(error: object, entry: unknown): Pick<EncodedError, "encoded" | "notRebuilt"> {
    const listed = classIn(entry)
    if (listed === undefined) return { encoded: undefined, notRebuilt: undefined }
    if (typeof entry === "function") {
      const notRebuilt = hasPrivateState(listed)
        ? `${classNameOf(listed)} has private members, which cannot be copied: list Task.error(${
          classNameOf(listed)
        }, { encode, decode })`
        : undefined
      return { encoded: undefined, notRebuilt }
    }
    try {
      const value = captureValue((entry as ErrorCodec).encode(error), "encoded", "error", this.#mode, [])
      return { encoded: { value }, notRebuilt: undefined }
    } catch (thrown) {
      return { encoded: undefined, notRebuilt: `encode of ${classNameOf(listed)} failed: ${describe(thrown)}` }
    }
  }

  /** What its own classes say of all their instances: values that are no objects, and what getters return. */
  #inherited(error: object, fields: Array<Field>, isEnumerable: boolean): void {
    const names = new Set(fields.map(([name]) => name))
    let left = MAX_INHERITED
    let prototype: object | null = attempt(() => Object.getPrototypeOf(error), null)
    for (let i = 0; prototype !== null && i < 100 && left > 0; i++) {
      if (isKnownPrototype(prototype)) return
      const properties: Record<string, PropertyDescriptor> = attempt(
        () => Object.getOwnPropertyDescriptors(prototype!),
        {}
      )
      for (const [name, { get, value }] of Object.entries(properties)) {
        const isValue = get !== undefined || isPrimitive(value) && value !== undefined
        if (!isValue || names.has(name) || common.has(name)) continue
        if (left-- === 0) return
        names.add(name)
        fields.push([name, this.#field(error, name), isEnumerable])
      }
      prototype = attempt(() => Object.getPrototypeOf(prototype!), null)
    }
  }

  #message(error: object): string | undefined {
    const message = read(error, "message", describeThrow)
    if (message !== undefined && message.length > MAX_TEXT) return cut(message)
    return message === "" && !attempt(() => Object.hasOwn(error, "message"), false) ? undefined : message
  }

  #fields(error: object, isError: boolean): Array<Field> {
    const fields: Array<Field> = []
    const own = attempt(() => Reflect.ownKeys(error), [])
    for (const key of own) {
      if (typeof key !== "string" || (isError && (key === "message" || key === "stack"))) continue
      const isEnumerable = attempt(() => Object.prototype.propertyIsEnumerable.call(error, key), false)
      if (isEnumerable || hidden.has(key)) fields.push([key, this.#field(error, key), isEnumerable])
      else if (!isError || key !== "name") this.#hiddenField(error, key, fields)
    }
    for (const key of inherited) {
      if (own.includes(key) || !attempt(() => key in error, false)) continue
      const slot = this.#field(error, key)
      if (!("value" in slot && slot.value === undefined)) fields.push([key, slot, false])
    }
    return fields
  }

  /** A field that is not enumerable: a method, or what else cannot be copied, is no data, and left out. */
  #hiddenField(error: object, key: string, fields: Array<Field>): void {
    const before = this.#lenient.refusals()
    let value: unknown
    try {
      value = (error as Record<string, unknown>)[key]
    } catch {
      return
    }
    const slot = this.#slot(value)
    if (this.#lenient.refusals() === before) fields.push([key, slot, false])
  }

  #field(error: object, key: string): Slot {
    let value: unknown
    try {
      value = (error as Record<string, unknown>)[key]
    } catch (thrown) {
      return { value: describeThrow(thrown) }
    }
    return key === "errors" && Array.isArray(value) && !isProxy(value) ? this.#list(value) : this.#slot(value)
  }

  #list(values: ReadonlyArray<unknown>): Slot {
    const list: Slot[] = []
    for (let i = 0; i < values.length && i < maxErrors; i++) {
      list.push(attempt(() => this.#slot(values[i]), { value: undefined }))
    }
    return { list }
  }

  #slot(value: unknown): Slot {
    return this.#asError(value) ?? { value: this.#lenient.capture(value) }
  }
}

const cut = (text: string): string =>
  text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}... [${text.length - MAX_TEXT} characters left out]`

const isPrimitive = (value: unknown): boolean => {
  const type = typeof value
  return type === "object" ? value === null : type !== "function" && type !== "symbol"
}

const describeThrow = (thrown: unknown): string => `[throws ${describe(thrown)}]`

const attempt = <A>(body: () => A, otherwise: A): A => {
  try {
    return body()
  } catch {
    return otherwise
  }
}

/** A property that should be a text. */
const read = <A>(source: object, key: string, otherwise: (thrown: unknown) => A): string | undefined | A => {
  try {
    const value = (source as Record<string, unknown>)[key]
    return value === undefined || typeof value === "string" ? value : String(value)
  } catch (thrown) {
    return otherwise(thrown)
  }
}

// A class may have a static `name` of its own, of any kind.
const classNameOf = (listed: Function): string => attempt(() => String(listed.name), "")

const entryOf = ({ listed }: EncodedError, classes: ReadonlyArray<unknown>): unknown => {
  if (listed === undefined) return undefined
  const [position, name] = listed
  const isIt = (entry: unknown): boolean => {
    const found = classIn(entry)
    return found !== undefined && classNameOf(found) === name
  }
  const there = classes[position]
  return isIt(there) ? there : classes.find(isIt)
}

/** Errors that the `decode` of their class has made: they have their fields already. */
const decoded = new WeakSet<object>()

const rebuild = (encoded: EncodedError, entry: unknown): object => {
  const plain = (notRebuilt: string): object => {
    const error = make(encoded, undefined)
    // Its name would tell nothing: the class had given it none of its own.
    if (encoded.name === encoded.base && encoded.listed !== undefined) define(error, "name", encoded.listed[1], false)
    define(error, "notRebuilt", notRebuilt, true)
    return error
  }
  if (encoded.notRebuilt !== undefined) return plain(encoded.notRebuilt)
  if (encoded.encoded === undefined || typeof entry === "function" || entry === undefined) {
    return make(encoded, classIn(entry))
  }
  try {
    const error = (entry as ErrorCodec).decode(encoded.encoded.value)
    if (typeof error !== "object" || error === null) throw new TypeError("it returned no object")
    decoded.add(error)
    return error
  } catch (thrown) {
    return plain(`decode of ${classNameOf(classIn(entry)!)} failed: ${describe(thrown)}`)
  }
}

const fill = (error: object, encoded: EncodedError, errors: ReadonlyArray<object>): void => {
  const { base, fields, message, name, stack } = encoded
  if (decoded.has(error)) {
    // Its stack is that of `decode` here, which says nothing. One that is frozen keeps it.
    if (base !== undefined && stack !== undefined) attempt(() => define(error, "stack", stack, false), undefined)
    return
  }
  if (base !== undefined) define(error, "stack", stack ?? `${name ?? base}: ${message ?? ""}`, false)
  if (name !== undefined && !Object.hasOwn(error, "name") && attempt(() => (error as Error).name, undefined) !== name) {
    define(error, "name", name, false)
  }
  for (const [key, slot, isEnumerable] of fields) {
    const value = fromSlot(slot, errors)
    // Its class says so already.
    if (
      !isEnumerable && inherited.includes(key) && attempt(() => (error as Record<string, unknown>)[key], {}) === value
    ) continue
    define(error, key, value, isEnumerable)
  }
}

const fromSlot = (slot: Slot, errors: ReadonlyArray<object>): unknown => {
  if ("value" in slot) return slot.value
  return "error" in slot ? errors[slot.error] : slot.list.map((item) => fromSlot(item, errors))
}

const define = (target: object, key: string, value: unknown, isEnumerable: boolean): void => {
  Object.defineProperty(target, key, { value, enumerable: isEnumerable, configurable: true, writable: true })
}
