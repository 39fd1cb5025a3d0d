/** Errors that mean the codec harm, and what a record of one keeps. */
import { fc, test as property } from "@fast-check/vitest"
import * as assert from "node:assert/strict"
import { describe, it } from "vitest"
import { NotPortableError } from "../../src/ExecutorError.ts"
import { decodeError, encodeError } from "../../src/wire/error.ts"
import { each } from "./travel.ts"

describe("Nothing that is thrown can break the codec", () => {
  const boom = () => {
    throw new TypeError("boom")
  }
  const throwing = (...keys: string[]): Error => {
    const error = new Error("m")
    for (const key of keys) Object.defineProperty(error, key, { get: boom, enumerable: true })
    return error
  }

  it("frozen errors", () => {
    each(Object.freeze(Object.assign(new Error("m"), { code: 1 })), (arrived) => {
      assert.equal(arrived.code, 1)
      arrived.code = 2
    })
  })

  it("getters that throw, the message and the stack included", () => {
    each(throwing("message", "stack", "name", "cause", "field", "errors", "code"), (arrived) => {
      assert.ok(arrived instanceof Error)
      assert.deepEqual([arrived.message, (arrived as never)["field"], arrived.name], [
        "[throws TypeError: boom]",
        "[throws TypeError: boom]",
        "[throws TypeError: boom]"
      ])
      assert.equal(typeof arrived.stack, "string")
    })
    const inList = Object.defineProperty([1, 2], 0, { get: boom })
    each(Object.assign(new Error("m"), { errors: inList }), (arrived) => assert.equal(arrived.errors.length, 2))
  })

  it("a getter that makes another error each time", () => {
    class Endless extends Error {
      constructor() {
        super("m")
        Object.defineProperty(this, "cause", { get: () => new Endless(), enumerable: true })
      }
    }
    each(new Endless(), (arrived) => assert.equal(arrived.cause.cause.message, "m"))
  })

  it("proxies around errors, whatever their traps do", () => {
    each(new Proxy(new TypeError("m"), {}), (arrived) => {
      assert.ok(arrived instanceof TypeError)
      assert.equal(arrived.message, "m")
    })
    const traps = new Proxy({}, { get: () => boom })
    each(new Proxy(new Error("m"), traps), (arrived) => assert.ok(arrived instanceof NotPortableError))
    each(
      new Proxy(new Error("m"), { get: boom, ownKeys: boom, getOwnPropertyDescriptor: boom, has: boom }),
      (arrived) => {
        assert.ok(arrived instanceof Error)
      }
    )
    const { proxy, revoke } = Proxy.revocable(new Error("m"), {})
    revoke()
    each(proxy, (arrived) => assert.ok(arrived instanceof NotPortableError))
    each(new Error("m", { cause: proxy }), (arrived) => assert.equal(arrived.cause, "[Proxy]"))
  })

  it("errors without a prototype, and objects that only inherit from one", () => {
    each(Object.setPrototypeOf(new TypeError("m"), null), (arrived) => {
      assert.ok(arrived instanceof Error)
      assert.equal(arrived.message, "m")
    })
    each(Object.assign(Object.create(RangeError.prototype), { message: "m" }), (arrived) => {
      assert.ok(arrived instanceof RangeError)
      assert.equal(arrived.message, "m")
    })
  })

  it("texts that are none", () => {
    each(Object.assign(new Error("m"), { name: 5, message: { a: 1 }, stack: 7 }), (arrived) => {
      assert.deepEqual([arrived.name, arrived.message, typeof arrived.stack], [5, "[object Object]", "string"])
    })
    each(Object.assign(new Error("m"), { name: Symbol("n"), message: Symbol("m") }), (arrived) => {
      assert.deepEqual([arrived.name, arrived.message], ["[symbol]", "Symbol(m)"])
    })
  })

  property.prop([
    fc.anything({
      withBigInt: true,
      withBoxedValues: true,
      withMap: true,
      withNullPrototype: true,
      withSparseArray: true
    })
  ])(
    "nor anything else",
    (thrown) => {
      each(thrown, (arrived) => assert.deepStrictEqual(arrived, structuredClone(thrown)))
    }
  )
})

describe("A record", () => {
  it("gives new errors each time that it is decoded", () => {
    const record = encodeError(new Error("m", { cause: new Error("c") }), { sharesMemory: true })
    const [first, second] = [decodeError(record), decodeError(record)] as [Error, Error]
    assert.notEqual(first, second)
    assert.notEqual(first.cause, second.cause)
    assert.deepEqual([first.message, first.stack], [second.message, second.stack])
  })

  it("shows the frames in the worker first, then the lines that await it", async () => {
    const thrown = new RangeError("m", { cause: new Error("inner") })
    const record = encodeError(thrown, { sharesMemory: true })
    const write = Error.prepareStackTrace
    const arrived = async (): Promise<Error> => {
      const result = Promise.resolve().then(() => Promise.reject(decodeError(record)))
      const awaitTheResult = async () => await result
      return await awaitTheResult().catch((error: unknown) => error) as Error
    }
    try {
      // Vitest writes stacks itself, as source maps do; then Node does.
      for (const writer of [write, undefined]) {
        Reflect.set(Error, "prepareStackTrace", writer)
        const { cause, stack } = await arrived()
        assert.ok(stack!.startsWith(`${thrown.stack}\n    at `), stack)
        assert.match(stack!.slice(thrown.stack!.length), /^\n    at (async )?awaitTheResult /)
        assert.equal((cause as Error).stack, (thrown.cause as Error).stack)
        assert.equal(Error.prepareStackTrace, writer)
      }
    } finally {
      Reflect.set(Error, "prepareStackTrace", write)
    }
  })

  it("does not change when the error does", () => {
    const thrown = Object.assign(new Error("m"), { list: [1] })
    const record = encodeError(thrown, { sharesMemory: true })
    thrown.list.push(2)
    thrown.message = "other"
    assert.deepEqual([(decodeError(record) as typeof thrown).list, (decodeError(record) as Error).message], [[1], "m"])
  })
})
