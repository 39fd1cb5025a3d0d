/** Objects that hold no other objects, or whose insides only Node knows. */
import * as types from "node:util/types"
import { nameOf, Refusal } from "./Refusal.ts"
import { Special } from "./Special.ts"

/** A property of every future: a global symbol, so that copies of this package agree. */
export const futureMark: unique symbol = Symbol.for("@futures/core/Future") as never

/** Handles of pending work hold its owner, never a value: they are refused before their fields are read. */
export const refuseHandle = (source: object): void => {
  if (types.isPromise(source)) throw new Refusal("Promise", "A promise: await it first")
  if (futureMark in source) throw new Refusal("a Future: pass its result", "For example await future.result()")
}

// Deno has none.
const isExternal: (source: unknown) => boolean = types.isExternal ?? (() => false)
// Tests replace the global one.
const { Date } = globalThis
const getTime = Date.prototype.getTime

export const copyDate = (source: object): globalThis.Date => new Date(getTime.call(source))

/**
 * Regular expressions, boxed primitives, errors, and objects of Node's own: only `structuredClone` knows their insides.
 */
export const cloneAlone = (source: object, sharesMemory: boolean): object => {
  try {
    return structuredClone(source)
  } catch (error) {
    // Anything else was thrown by a getter of the user, or by the end of the stack.
    if (!(error instanceof DOMException)) throw error
    throw new Refusal(nameOf(source), hintFor(source, sharesMemory))
  }
}

export const copyDOMException = (source: DOMException, sharesMemory: boolean): object =>
  sharesMemory ? cloneAlone(source, sharesMemory) : Special.fromDOMException(source)

/** For what is a live thing behind an address in this process. */
export const onlySharedMemory = (source: object): Refusal => new Refusal(nameOf(source), memoryHint)

/** For what `structuredClone` turns into `{}` without a word. */
export const emptied = (source: object): Refusal =>
  new Refusal(nameOf(source), "It has no enumerable fields of its own and would arrive as {}")

/**
 * Some objects have the prototype of a plain one and are not: `arguments`, whose keys are positions; `Math`, native
 * handles and others, which have no keys. So two first keys tell enough, and all others cost nothing.
 */
export const checkPlain = (source: object, firstKey: string | undefined): void => {
  if (firstKey === undefined) {
    if (Object.prototype.toString.call(source) !== "[object Object]" || isExternal(source)) throw emptied(source)
  } else if (firstKey === "0" && types.isArgumentsObject(source)) throw new Refusal("Arguments")
}

/** Whether this is the `Object.prototype` of another realm (`node:vm`, a test runner that uses it). */
export const isForeignObjectPrototype = (prototype: object): boolean =>
  Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf")

const memoryHint = "Only executors that share memory (threads, inline) can carry it"
const transferable = new Set(["MessagePort", "ReadableStream", "WritableStream", "TransformStream", "FileHandle"])

const hintFor = (source: object, sharesMemory: boolean): string | undefined => {
  const name = nameOf(source).replace("instance of ", "")
  if (!transferable.has(name)) return undefined
  return sharesMemory ? "Hand it over with Task.with(task, { transfer: [...] })" : memoryHint
}
