import {
  isAnyArrayBuffer,
  isBoxedPrimitive,
  isDate,
  isMap,
  isModuleNamespaceObject,
  isNativeError,
  isProxy,
  isRegExp,
  isSet,
  isSymbolObject
} from "node:util/types"
import {
  checkPlain,
  cloneAlone,
  copyDate,
  copyDOMException,
  emptied,
  isForeignObjectPrototype,
  onlySharedMemory,
  refuseHandle
} from "./leaf.ts"
import { causeOf, copyNativeError } from "./nativeError.ts"
import { FRAME_HINT, MAX_FRAME_BYTES, MAX_VIEW_BYTES } from "./oversize.ts"
import { elementsOf, isObjectPrototypePolluted, mayHaveNames, put } from "./property.ts"
import { entryStep, maxDepth, propertyStep, Refusal } from "./Refusal.ts"
import { Seen } from "./Seen.ts"
import { bufferOf, copyBuffer, copyView, isShared, viewName } from "./view.ts"

const mapKeys = Map.prototype.keys
const mapValues = Map.prototype.values
const setValues = Set.prototype.values

/** Prototypes of classes whose instances are known to clone to plain objects. */
const plainClasses = new WeakSet<object>()

/** What a lenient walk captures at most: objects, and bytes of text, buffers and array elements. */
const MAX_LENIENT_OBJECTS = 100_000
const MAX_LENIENT_BYTES = 16 * 2 ** 20

/** Below this many bytes a transfer costs more than the copy that it saves. */
const worthMoving = 4096

/**
 * One walk over one value, or one tuple of arguments: copies and checks in the same step. It keeps everything in the
 * instance, because a getter that it meets is user code and may hand in another call in the middle of it.
 */
export class Walk {
  /** Buffers that only the copies use; made when there is one. */
  transfers: ArrayBuffer[] | undefined
  readonly #sharesMemory: boolean
  /** Whether what cannot travel becomes a text where it stands, instead of ending the walk. */
  readonly #lenient: boolean
  readonly #moves: boolean
  readonly #isPolluted = isObjectPrototypePolluted()
  readonly #seen = new Seen()
  /** Values that a lenient walk could not copy; what is left out because of its size does not count. */
  refusals = 0
  /** What a lenient walk may still capture. */
  #objectsLeft = MAX_LENIENT_OBJECTS
  #bytesLeft = MAX_LENIENT_BYTES

  /** Objects in `moved` stay in the copy as they are, and so do views on them: someone moves them afterwards. */
  constructor(
    sharesMemory: boolean,
    lenient: boolean,
    transfers: ArrayBuffer[] | undefined,
    moved: ReadonlyArray<object> | undefined
  ) {
    this.#sharesMemory = sharesMemory
    this.#lenient = lenient
    this.#moves = moved !== undefined
    this.transfers = transfers
    for (const object of moved ?? []) this.#seen.remember(object, object)
  }

  /** `depth` counts the containers around the value, itself included. */
  value(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case "object":
        return value === null ? null : this.#object(value, depth)
      case "function":
        throw new Refusal(value.name === "" ? "function" : `function ${value.name}`)
      case "symbol":
        throw new Refusal("symbol")
      case "string":
        return this.#lenient ? this.#text(value) : value
      default:
        return value
    }
  }

  #object(source: object, depth: number): unknown {
    const known = this.#seen.find(source)
    if (known !== undefined) return known
    if (isProxy(source)) throw new Refusal("Proxy")
    if (this.#lenient) this.#spend(source)
    const prototype = Object.getPrototypeOf(source)
    if (prototype === Object.prototype) return this.#plain(source, depth)
    if (Array.isArray(source)) return this.#array(source, depth)
    if (prototype !== null && plainClasses.has(prototype)) return this.#instance(source, prototype, depth)
    if (ArrayBuffer.isView(source)) return this.#view(source)
    if (isMap(source)) return this.#map(source, depth)
    if (isSet(source)) return this.#set(source, depth)
    if (isDate(source)) return this.#seen.remember(source, copyDate(source))
    if (source instanceof DOMException) return this.#seen.remember(source, copyDOMException(source, this.#sharesMemory))
    if (isNativeError(source)) return this.#error(source, depth)
    if (isAnyArrayBuffer(source)) return this.#buffer(source)
    if (isSymbolObject(source)) throw new Refusal("boxed symbol")
    if (isRegExp(source) || isBoxedPrimitive(source)) {
      return this.#seen.remember(source, cloneAlone(source, this.#sharesMemory))
    }
    if (isModuleNamespaceObject(source)) throw new Refusal("module namespace")
    return prototype === null ? this.#plain(source, depth) : this.#instance(source, prototype, depth)
  }

  #plain(source: object, depth: number): object {
    const copy = {}
    this.#enter(source, copy, depth)
    // The lenient walk looks at every value, texts included.
    if (this.#isPolluted || this.#lenient) {
      const keys = Object.keys(source)
      checkPlain(source, keys[0])
      this.#fields(source, copy, keys, depth)
      return copy
    }
    let isEmpty = true
    // `for in` and `typeof` written out: this loop is what a call with a small object costs.
    for (const key in source) {
      if (isEmpty) {
        isEmpty = false
        checkPlain(source, key)
      }
      try {
        const value = (source as Record<string, unknown>)[key]
        const type = typeof value
        const taken = type === "object" || type === "function" || type === "symbol"
          ? this.value(value, depth + 1)
          : value
        if (key === "__proto__") put(copy, key, taken)
        else (copy as Record<string, unknown>)[key] = taken
      } catch (error) {
        put(copy, key, this.#refused(error, propertyStep(key)))
      }
    }
    if (isEmpty) checkPlain(source, undefined)
    return copy
  }

  #fields(source: object, copy: object, keys: ReadonlyArray<string>, depth: number): void {
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!
      try {
        const value = (source as Record<string, unknown>)[key]
        // A getter may have deleted it meanwhile.
        if (value !== undefined || Object.hasOwn(source, key)) put(copy, key, this.value(value, depth + 1))
      } catch (error) {
        put(copy, key, this.#refused(error, propertyStep(key)))
      }
    }
  }

  #array(source: ReadonlyArray<unknown>, depth: number): unknown[] {
    const copy = elementsOf(source)
    this.#enter(source, copy, depth)
    const { length } = copy
    let i = 0
    for (; i < length; i++) {
      const value = copy[i]
      const type = typeof value
      if (type === "object" || type === "function" || type === "symbol") {
        try {
          copy[i] = this.value(value, depth + 1)
        } catch (error) {
          copy[i] = this.#refused(error, `[${i}]`)
        }
      } else if (type === "string" && this.#lenient) copy[i] = this.#text(value as string)
      else if (value === undefined && !Object.hasOwn(copy, i)) break
    }
    const hasHoles = i < length
    if (hasHoles) this.#sparse(copy, i, depth)
    if (hasHoles || length !== source.length || mayHaveNames(source)) this.#named(source, copy, depth)
    return copy
  }

  /** The elements after the first hole, of four billion perhaps. */
  #sparse(copy: unknown[], from: number, depth: number): void {
    for (const key of Object.keys(copy)) {
      const i = Number(key)
      if (i >= from) copy[i] = this.#element(copy[i], depth, () => `[${i}]`)
    }
  }

  /** What the elements left over: named properties. */
  #named(source: ReadonlyArray<unknown>, copy: unknown[], depth: number): void {
    for (const key of Object.keys(source)) {
      if (Object.hasOwn(copy, key)) continue
      try {
        put(copy, key, this.value((source as unknown as Record<string, unknown>)[key], depth + 1))
      } catch (error) {
        put(copy, key, this.#refused(error, /^\d+$/.test(key) ? `[${key}]` : propertyStep(key)))
      }
    }
    copy.length = source.length
  }

  #map(source: Map<unknown, unknown>, depth: number): Map<unknown, unknown> {
    const copy = new Map<unknown, unknown>()
    this.#enter(source, copy, depth)
    // Lists first: a getter further inside may change the map.
    const keys = [...mapKeys.call(source)]
    const values = [...mapValues.call(source)]
    for (let i = 0; i < keys.length; i++) {
      copy.set(
        this.#element(keys[i], depth, () => `.keys()[${i}]`),
        this.#element(values[i], depth, () => entryStep(keys[i], i))
      )
    }
    return copy
  }

  #set(source: Set<unknown>, depth: number): Set<unknown> {
    const copy = new Set()
    this.#enter(source, copy, depth)
    const values = [...setValues.call(source)]
    for (let i = 0; i < values.length; i++) copy.add(this.#element(values[i], depth, () => `.values()[${i}]`))
    return copy
  }

  #error(source: Error, depth: number): object {
    const cause = causeOf(source)
    if (cause === undefined) return this.#seen.remember(source, cloneAlone(source, this.#sharesMemory))
    const copy = copyNativeError(source)
    this.#enter(source, copy, depth)
    const value = this.#element(cause.value, depth, () => ".cause")
    Object.defineProperty(copy, "cause", { value, enumerable: false, configurable: true, writable: true })
    return copy
  }

  #element(value: unknown, depth: number, step: () => string): unknown {
    try {
      return this.value(value, depth + 1)
    } catch (error) {
      return this.#refused(error, step())
    }
  }

  /**
   * Instances arrive as plain data. Whether those of a class do is asked of `structuredClone` once per class, and only
   * after the fields were walked: had it failed because of one of them, the walk would have found it.
   */
  #instance(source: object, prototype: object, depth: number): object {
    if (!plainClasses.has(prototype)) refuseHandle(source)
    const keys = Object.keys(source)
    if (keys.length === 0) return this.#opaque(source, prototype)
    const copy = {}
    this.#enter(source, copy, depth)
    this.#fields(source, copy, keys, depth)
    if (plainClasses.has(prototype)) return copy
    // A lenient walk may meet many classes, each of which has an instance with a part that cannot be cloned: to try each would take quadratic time.
    if (this.#lenient) return copy
    const clone = this.#trial(source)
    if (clone === undefined) return copy
    if (Object.getPrototypeOf(clone) !== Object.prototype) {
      return this.#seen.replace(source, this.#platform(source, clone))
    }
    plainClasses.add(prototype)
    return copy
  }

  #trial(source: object): object | undefined {
    try {
      return cloneAlone(source, this.#sharesMemory)
    } catch (error) {
      // Its fields may hold what is moved later: then the failure says nothing about the class.
      if (this.#moves) return undefined
      throw error
    }
  }

  /** Whatever shows nothing: what matters about it is inside, where only `structuredClone` may reach. */
  #opaque(source: object, prototype: object): object {
    if (isForeignObjectPrototype(prototype)) return this.#seen.remember(source, {})
    const clone = plainClasses.has(prototype) ? undefined : cloneAlone(source, this.#sharesMemory)
    if (clone === undefined || Object.getPrototypeOf(clone) === Object.prototype) throw emptied(source)
    return this.#seen.remember(source, this.#platform(source, clone))
  }

  /** A clone that kept a class of Node's own. */
  #platform(source: object, clone: object): object {
    if (!this.#sharesMemory) throw onlySharedMemory(source)
    return clone
  }

  #view(source: ArrayBufferView): object {
    const buffer = bufferOf(source)
    const isMoved = this.#moves && this.#seen.find(buffer) === buffer
    // What is copied begins at 0.
    this.#limit(source, isMoved || isShared(buffer) ? source.byteOffset + source.byteLength : source.byteLength)
    if (isMoved) return source
    if (isShared(buffer)) return this.#shared(source, buffer)
    const copy = this.#seen.remember(source, copyView(source))
    if (copy.byteLength >= worthMoving) this.#transfer(copy.buffer as ArrayBuffer)
    return copy
  }

  #buffer(source: ArrayBufferLike): object {
    if (isShared(source)) return this.#shared(source, source)
    if (!this.#sharesMemory) this.#limit(source, source.byteLength)
    const copy = this.#seen.remember(source, copyBuffer(source))
    if (copy.byteLength >= worthMoving) this.#transfer(copy)
    return copy
  }

  /** Refuses before it copies what no frame, or no view, can hold. */
  #limit(source: object, bytes: number): void {
    if (bytes <= MAX_FRAME_BYTES) return
    const name = ArrayBuffer.isView(source) ? viewName(source) : "ArrayBuffer"
    if (!this.#sharesMemory) throw new Refusal(`${name} of ${bytes} bytes`, FRAME_HINT)
    if (bytes > MAX_VIEW_BYTES) {
      throw new Refusal(
        `${name} that ends at byte ${bytes}`,
        `A view may end at byte ${MAX_VIEW_BYTES} (4 GiB) at most`
      )
    }
  }

  #shared(source: object, buffer: SharedArrayBuffer): object {
    if (!this.#sharesMemory) throw onlySharedMemory(buffer)
    return this.#seen.remember(source, cloneAlone(source, true))
  }

  #transfer(buffer: ArrayBuffer): void {
    if (this.#sharesMemory) (this.transfers ??= []).push(buffer)
  }

  /** Counts an object of a lenient walk; throws for one that is beyond the limit. */
  #spend(source: object): void {
    let bytes = 0
    if (ArrayBuffer.isView(source) || isAnyArrayBuffer(source)) bytes = source.byteLength
    else if (Array.isArray(source)) bytes = source.length * 8
    if (--this.#objectsLeft < 0) throw Refusal.leftOut(`more than ${MAX_LENIENT_OBJECTS} objects`)
    if (bytes > this.#bytesLeft) throw tooLong(bytes)
    this.#bytesLeft -= bytes
  }

  /** A text of a lenient walk; what is beyond the limit is described. */
  #text(text: string): string {
    if (text.length <= this.#bytesLeft) this.#bytesLeft -= text.length
    else return `[${tooLong(text.length).value}]`
    return text
  }

  #enter(source: object, copy: object, depth: number): void {
    if (depth > maxDepth) throw Refusal.tooDeep()
    this.#seen.remember(source, copy)
  }

  /** Counts what a lenient walk replaces by a text. */
  refused(refusal: Refusal): void {
    if (!refusal.isLeftOut) this.refusals++
  }

  /** Ends the walk with one more step of the path, or, in a lenient one, says what stands in the place of the value. */
  #refused(error: unknown, step: string): string {
    const refusal = Refusal.of(error)
    if (this.#lenient) {
      this.refused(refusal)
      return `[${refusal.value}]`
    }
    refusal.steps.push(step)
    throw refusal
  }
}

const tooLong = (bytes: number): Refusal => Refusal.leftOut(`${bytes} bytes, beyond the limit of ${MAX_LENIENT_BYTES}`)
