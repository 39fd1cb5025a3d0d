/** Tasks that fail, in every way there is. */
import { Task } from "@futures/core"

/** Listed below, so it arrives as an instance of itself. */
export class Declined extends Error {
  override readonly name = "Declined"
  readonly code: number
  readonly details: { readonly reasons: ReadonlyArray<string> }
  constructor(code: number, reasons: ReadonlyArray<string>) {
    super(`Declined with ${code}`)
    this.code = code
    this.details = { reasons }
  }
  get isFinal(): boolean {
    return this.code >= 500
  }
}

/** Listed, and with state that only `Task.error` can carry over. */
export class HttpError extends Error {
  override readonly name = "HttpError"
  readonly #response: { readonly status: number }
  constructor(response: { readonly status: number }) {
    super(`HTTP ${response.status}`)
    this.#response = response
  }
  get status(): number {
    return this.#response.status
  }
  isRetryable(): boolean {
    return this.#response.status >= 500
  }
}

/** Listed as a class, though it has private state. */
export class Sealed extends Error {
  override readonly name = "Sealed"
  readonly size = 3
  readonly #code = "E_SEALED"
  get code(): string {
    return this.#code
  }
  #isSealed(): boolean {
    return true
  }
  static accepts(error: unknown): boolean {
    return error instanceof Sealed && #isSealed in error && error.#isSealed()
  }
}

/** Not listed: its class stays where it is. */
class Unlisted extends Error {
  readonly code = "E_UNLISTED"
  readonly size: number
  constructor(size: number, options?: ErrorOptions) {
    super(`Of size ${size}`, options)
    this.name = "Unlisted"
    this.size = size
  }
}

/** Not listed, and made as validators and HTTP clients make theirs: with fields that are not enumerable, and a flag for all instances. */
class InvalidInput extends Error {
  static {
    Object.defineProperty(this.prototype, "isInvalidInput", { value: true })
  }
  constructor(issues: ReadonlyArray<unknown>) {
    super("invalid")
    this.name = "InvalidInput"
    Object.defineProperty(this, "issues", { value: issues })
    Object.defineProperty(this, "format", { value: () => "formatted" })
    Object.defineProperty(this, "toString", { value: () => "invalid input" })
    Object.defineProperty(this, "isEmpty", { get: () => issues.length === 0 })
    Object.defineProperty(this, "state", { value: { issues, parser: () => issues } })
    Object.assign(this, { [Symbol.for("issues")]: issues })
  }
  get count(): number {
    return (this as unknown as { issues: ReadonlyArray<unknown> }).issues.length
  }
}

/** A property of an error: its name, its value, and whether it is enumerable. */
export type ErrorProperty = readonly [name: string, value: unknown, enumerable: boolean]

const builtIn = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError } as const

/** Names of the error classes that every realm has. */
export const builtInNames = Object.keys(builtIn) as Array<keyof typeof builtIn>

export const {
  decline,
  http,
  large,
  nothing,
  reject,
  seal,
  throwAggregate,
  throwBuiltIn,
  throwChain,
  throwInvalid,
  throwProperties,
  throwUnlisted,
  throwWhenOdd,
  throwWithFunction,
  throwValue,
  unbelievable
} = Task.module(import.meta, {
  decline: (code: number): never => {
    throw new Declined(code, ["too late", "too little"])
  },
  http: (status: number): never => {
    throw new HttpError({ status })
  },
  /** An error that holds more than is sent. */
  large: (objects: number, bytes: number): never => {
    throw Object.assign(new RangeError("large"), {
      before: 1,
      list: Array.from({ length: objects }, (_, i) => ({ i })),
      text: "x".repeat(bytes),
      after: 2
    })
  },
  seal: (): never => {
    throw new Sealed("sealed", { cause: "wax" })
  },
  /** Rejects without a reason. */
  nothing: (): Promise<never> => Promise.reject(),
  reject: (value: unknown): Promise<never> => Promise.reject(value),
  throwAggregate: (): never => {
    throw new AggregateError([new TypeError("first"), "second", { third: 3 }], "several")
  },
  throwBuiltIn: (name: keyof typeof builtIn, message: string): never => {
    throw new builtIn[name](message, { cause: { reason: "because" } })
  },
  /** An error, the error that caused it, and what caused that. */
  throwChain: (): never => {
    throw new Unlisted(3, { cause: new RangeError("middle", { cause: "bottom" }) })
  },
  throwInvalid: (issues: ReadonlyArray<unknown>): never => {
    throw new InvalidInput(issues)
  },
  throwProperties: (properties: ReadonlyArray<ErrorProperty>): never => {
    const error = new RangeError("with properties")
    for (const [name, value, enumerable] of properties) Object.defineProperty(error, name, { value, enumerable })
    throw error
  },
  throwUnlisted: (size: number): never => {
    throw new Unlisted(size)
  },
  throwWhenOdd: (n: number): number => {
    if (n % 2 !== 0) throw new RangeError(`${n} is odd`)
    return n
  },
  /** One of its fields cannot travel. */
  throwWithFunction: (): never => {
    throw Object.assign(new TypeError("with a function"), { callback: () => 1, size: 3 })
  },
  throwValue: (value: unknown): never => {
    throw value
  },
  /** An error that cannot even be asked for its message. */
  unbelievable: (): never => {
    const error = new Error("hidden")
    Object.defineProperty(error, "message", {
      get: () => {
        throw new Error("not to be read")
      }
    })
    throw error
  }
}, {
  errors: [
    Declined,
    Sealed,
    Task.error(HttpError, { encode: ({ status }) => status, decode: (status) => new HttpError({ status }) })
  ]
})
