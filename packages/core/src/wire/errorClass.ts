/** Which class an error is of, and how to make one without calling any constructor of the user's. */
import { isNativeError } from "node:util/types"
import * as ours from "../ExecutorError.ts"

/** Classes a module declared in `errors`, so that they arrive as instances of themselves. */
export type ErrorClass = abstract new(...args: never) => unknown

/** How to rebuild the errors of one class, made with `Task.error`. */
export interface ErrorCodec {
  /** The class whose instances are rebuilt. */
  readonly class: ErrorClass
  /** In the worker: what of the error is to be sent, as a value that can be captured. */
  readonly encode: (error: any) => unknown
  /** In the caller: a new error from that value. */
  readonly decode: (value: any) => object
}

const builtins = new Map<string, Function>(
  [
    "Error",
    "EvalError",
    "RangeError",
    "ReferenceError",
    "SyntaxError",
    "TypeError",
    "URIError",
    "AggregateError",
    "SuppressedError",
    "DOMException"
  ].flatMap((name) => name in globalThis ? [[name, (globalThis as never)[name] as Function]] : [])
)

const known = new Map(builtins)
for (const value of Object.values(ours)) {
  if (typeof value === "function" && (value.prototype as unknown) instanceof Error) known.set(value.name, value)
}

const nameOfPrototype = new Map<object, string>(
  Array.from(known, ([name, { prototype }]) => [prototype as object, name])
)

/** Whether a prototype is that of a class that both sides have, or of all objects. */
export const isKnownPrototype = (prototype: object): boolean =>
  nameOfPrototype.has(prototype) || prototype === Object.prototype

/** The nearest class that both sides have; `undefined` for what is no error. Throws what the traps of a proxy throw. */
export const baseOf = (value: object): string | undefined => {
  for (const prototype of prototypesOf(value)) {
    const name = nameOfPrototype.get(prototype)
    if (name !== undefined) return name
  }
  if (!isNativeError(value)) return undefined
  // From another realm: its classes have the same names, but are others.
  for (const prototype of prototypesOf(value)) {
    const name: unknown = prototype.constructor?.name
    if (typeof name === "string" && builtins.has(name)) return name
  }
  return "Error"
}

/** The class of an entry of `errors`: the entry itself, or that of a codec. */
export const classIn = (entry: unknown): Function | undefined => {
  if (typeof entry === "function") return entry
  const listed: unknown = typeof entry === "object" && entry !== null ? (entry as { class?: unknown }).class : undefined
  return typeof listed === "function" ? listed : undefined
}

/**
 * The position of the value's own class in a list of classes, or of its nearest ancestor there; -1 if there is none.
 */
export const positionIn = (classes: ReadonlyArray<unknown>, value: object): number => {
  if (classes.length === 0) return -1
  for (const prototype of prototypesOf(value)) {
    const position = classes.findIndex((listed) => classIn(listed)?.prototype === prototype)
    if (position !== -1) return position
  }
  return -1
}

// A proxy could invent ancestors for ever.
const maxAncestors = 100

function* prototypesOf(value: object): Iterable<object> {
  let prototype: object | null = Object.getPrototypeOf(value)
  for (let i = 0; prototype !== null && i < maxAncestors; i++) {
    yield prototype
    prototype = Object.getPrototypeOf(prototype)
  }
}

export interface Blueprint {
  readonly base: string | undefined
  readonly name: string | undefined
  readonly message: string | undefined
}

/**
 * A real error of the listed class, else of the base; without a base, an object of the listed class, else a plain one.
 */
export const make = (blueprint: Blueprint, listed: Function | undefined): object => {
  const base = blueprint.base === undefined ? undefined : known.get(blueprint.base)
  if (base === undefined) return Object.create(listed?.prototype ?? Object.prototype)
  const native = builtins.get(blueprint.base!) ?? Error
  const args = argsOf(blueprint)
  try {
    return Reflect.construct(native, args, listed ?? base)
  } catch {
    // What was listed is no constructor.
    return Reflect.construct(native, args, base)
  }
}

const argsOf = ({ base, name, message }: Blueprint): unknown[] => {
  switch (base) {
    case "DOMException":
      return [message ?? "", name ?? "Error"]
    case "AggregateError":
      return message === undefined ? [[]] : [[], message]
    case "SuppressedError":
      return message === undefined ? [] : [undefined, undefined, message]
    default:
      return message === undefined ? [] : [message]
  }
}
