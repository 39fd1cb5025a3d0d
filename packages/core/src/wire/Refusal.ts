import { describe, NotPortableError, type PortableSide } from "../ExecutorError.ts"

/**
 * How many containers may enclose each other. Node itself reads about 1,600 back, a thread with a small stack far
 * fewer.
 */
export const maxDepth = 1000

const longestPath = 20

/**
 * What is thrown inside of a walk when something cannot travel. Each container that it passes on its way out adds its
 * own step to the path, so the good way pays nothing for paths. Not an `Error`: nobody will ever look at its stack.
 */
export class Refusal {
  /** What could not travel, such as `function callback`. */
  readonly value: string
  readonly hint: string | undefined
  /** A holder, because a getter may throw `undefined` too. */
  readonly cause: { readonly error: unknown } | undefined
  /** From the inside out; only the containers that it passes write here. */
  readonly steps: string[] = []

  constructor(value: string, hint?: string, cause?: { readonly error: unknown }) {
    this.value = value
    this.hint = hint
    this.cause = cause
  }

  /**
   * What came out of a walk, as a refusal: a getter of the user may throw anything, and a deep value may end the stack
   * first.
   */
  static of(thrown: unknown): Refusal {
    if (thrown instanceof Refusal) return thrown
    if (isStackOverflow(thrown)) return Refusal.tooDeep()
    return new Refusal(`throws ${describe(thrown)}`, undefined, { error: thrown })
  }

  /** Whether the value could be copied, and was left out because of its size. */
  isLeftOut = false

  static leftOut(what: string): Refusal {
    const refusal = new Refusal(`left out: ${what}`)
    refusal.isLeftOut = true
    return refusal
  }

  static tooDeep(): Refusal {
    return new Refusal("too deep", `Values nest at most ${maxDepth} levels`)
  }

  toError(root: string, side: PortableSide): NotPortableError {
    const fields = { path: root + this.#path(), value: this.value, side, hint: this.hint }
    return new NotPortableError(this.cause === undefined ? fields : { ...fields, cause: this.cause.error })
  }

  #path(): string {
    const steps = this.steps.toReversed()
    if (steps.length <= longestPath) return steps.join("")
    return `${steps.slice(0, longestPath - 2).join("")}...${steps.slice(-2).join("")}`
  }
}

const isStackOverflow = (thrown: unknown): boolean =>
  thrown instanceof RangeError && thrown.message === "Maximum call stack size exceeded"

/** `.name`, or `["b-c"]` where a dot would not be JavaScript. */
export const propertyStep = (key: string): string =>
  /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`

/** `.get("k")`, or the position of the value where the key is an object. */
export const entryStep = (key: unknown, position: number): string =>
  typeof key === "object" && key !== null ? `.values()[${position}]` : `.get(${describe(key)})`

/** A name for an object in a message: its own tag (`Promise`, `URL`), or its class. Never throws. */
export const nameOf = (source: object): string => {
  try {
    const tag = Object.prototype.toString.call(source).slice(8, -1)
    const hasOwnTag = Object.hasOwn(Object.getPrototypeOf(source) ?? {}, Symbol.toStringTag)
    const name: unknown = source.constructor?.name
    if (hasOwnTag || typeof name !== "string" || (name === "Object" && tag !== "Object")) return tag
    return `instance of ${name || "an unnamed class"}`
  } catch {
    return "object that cannot be described"
  }
}
