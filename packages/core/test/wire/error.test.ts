import { fc, test as property } from "@fast-check/vitest"
import { Data, Schema } from "effect"
import * as assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { runInNewContext } from "node:vm"
import { describe, it } from "vitest"
import {
  BrokenExecutorError,
  CancelledError,
  ExecutorShutdownError,
  InvalidOptionError,
  InvalidStateError,
  NotPortableError,
  PoisonTaskError,
  QueueFullError,
  TaskFailedError,
  TaskNotFoundError,
  TaskTimeoutError,
  WorkerLostError
} from "../../src/ExecutorError.ts"
import { decodeError, encodeError } from "../../src/wire/error.ts"
import { caught, each } from "./travel.ts"

describe("A built-in error keeps its class", () => {
  for (const Class of [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError]) {
    it(`${Class.name}`, () => {
      const thrown = new Class("m", { cause: 1 })
      each(thrown, (arrived) => {
        assert.equal(Object.getPrototypeOf(arrived), Class.prototype)
        assert.deepEqual(Object.getOwnPropertyNames(arrived).toSorted(), ["cause", "message", "stack"])
        assert.deepEqual([arrived.message, arrived.stack, arrived.cause, Object.keys(arrived)], [
          "m",
          thrown.stack,
          1,
          []
        ])
        assert.notEqual(arrived, thrown)
      })
    })
  }

  it("AggregateError, with the errors in it", () => {
    each(new AggregateError([new TypeError("t"), "text", { a: 1 }], "m"), (arrived) => {
      assert.ok(arrived instanceof AggregateError)
      assert.ok(arrived.errors[0] instanceof TypeError)
      assert.deepEqual([arrived.errors.length, ...arrived.errors.slice(1)], [3, "text", { a: 1 }])
      assert.equal(Object.keys(arrived).length, 0)
    })
  })

  it("SuppressedError, with both", { skip: !("SuppressedError" in globalThis) }, () => {
    const { SuppressedError } = globalThis as never as {
      SuppressedError: new(a: unknown, b: unknown, m: string) => Error
    }
    each(new SuppressedError(new TypeError("t"), new RangeError("r"), "m"), (arrived) => {
      assert.equal(arrived.constructor, SuppressedError)
      assert.ok(arrived.error instanceof TypeError)
      assert.ok(arrived.suppressed instanceof RangeError)
      assert.equal(Object.keys(arrived).length, 0)
    })
  })

  it("DOMException, with its name and code", () => {
    each(caught(() => AbortSignal.abort().throwIfAborted()), (arrived) => {
      assert.ok(arrived instanceof DOMException)
      assert.deepEqual([arrived.name, arrived.code, Object.keys(arrived)], ["AbortError", 20, []])
    })
    each(new DOMException("m", { name: "Mine", cause: new TypeError("t") }), (arrived) => {
      assert.deepEqual([arrived.name, arrived.code, arrived.message], ["Mine", 0, "m"])
      assert.ok(arrived.cause instanceof TypeError)
    })
  })

  it("also from another realm", () => {
    each(runInNewContext("Object.assign(new RangeError('m'), { code: 1 })"), (arrived) => {
      assert.equal(Object.getPrototypeOf(arrived), RangeError.prototype)
      assert.deepEqual([arrived.message, arrived.code], ["m", 1])
    })
    each(runInNewContext("class Mine extends TypeError { name = 'Mine' }; new Mine('m')"), (arrived) => {
      assert.ok(arrived instanceof TypeError)
      assert.equal(arrived.name, "Mine")
    })
  })
})

describe("Any other error keeps what it says", () => {
  class HttpError extends Error {
    readonly status: number
    readonly response: object
    constructor(options: { status: number }) {
      super(`Status ${options.status}`)
      this.status = options.status
      this.response = { headers: new Map([["a", "b"]]), retry: () => 1 }
    }
    override get name() {
      return "HttpError"
    }
  }

  it("name, message, stack and fields, without its constructor being called", () => {
    const thrown = new HttpError({ status: 404 })
    each(thrown, (arrived) => {
      assert.equal(Object.getPrototypeOf(arrived), Error.prototype)
      assert.deepEqual([arrived.name, arrived.message, arrived.stack, arrived.status], [
        "HttpError",
        "Status 404",
        thrown.stack,
        404
      ])
      assert.deepEqual(arrived.response, { headers: new Map([["a", "b"]]), retry: "[function retry]" })
      assert.deepEqual(Object.keys(arrived), ["status", "response"])
      assert.match(String(arrived), /^HttpError: Status 404$/)
    })
  })

  it("a name that it set on itself", () => {
    each(Object.assign(new Error("m"), { name: "Own" }), (arrived) => {
      assert.deepEqual([arrived.name, Object.keys(arrived)], ["Own", ["name"]])
    })
    const hidden = Object.defineProperty(new Error("m"), "name", { value: "Hidden" })
    each(hidden, (arrived) => assert.deepEqual([arrived.name, Object.keys(arrived)], ["Hidden", []]))
  })

  it("the built-in class that it extends", () => {
    class Mine extends RangeError {}
    each(new Mine("m"), (arrived) => {
      assert.ok(arrived instanceof RangeError)
      assert.equal(arrived.name, "RangeError")
    })
  })

  it("what Node says about a system error", () => {
    const thrown = caught(() => readFileSync("/does/not/exist"))
    each(thrown, (arrived) => {
      assert.deepEqual({ ...arrived }, { errno: -2, code: "ENOENT", syscall: "open", path: "/does/not/exist" })
      assert.equal(arrived.stack, (thrown as Error).stack)
    })
    each(
      caught(() => readFileSync(5 as never, 5 as never)),
      (arrived) => assert.equal(arrived.code, "ERR_INVALID_ARG_TYPE")
    )
  })

  it("what its class says of all instances, except methods and objects", () => {
    class Tagged extends Error {}
    Object.assign(Tagged.prototype, { _tag: "Tagged", code: "E_TAGGED", other: 1, list: [1], run: () => 1 })
    each(new Tagged(), (arrived) => {
      assert.deepEqual([arrived._tag, arrived.code, arrived.other, Object.keys(arrived)], ["Tagged", "E_TAGGED", 1, []])
      assert.deepEqual(["list" in arrived, "run" in arrived], [false, false])
      each(arrived, (again) => assert.deepEqual([again._tag, again.code], ["Tagged", "E_TAGGED"]))
    })
  })

  it("errors in its cause, its errors and its fields, as errors of their own", () => {
    const inner = Object.assign(new TypeError("inner"), { code: 1 })
    const thrown = Object.assign(new Error("m", { cause: inner }), {
      errors: [inner, [inner]],
      field: inner,
      deep: { inner }
    })
    each(thrown, (arrived) => {
      assert.deepEqual([arrived.cause.code, arrived.cause.stack], [1, inner.stack])
      assert.deepEqual([arrived.errors[0], arrived.field], [arrived.cause, arrived.cause])
      assert.equal(arrived.field, arrived.cause)
      // Further inside errors are values, as structuredClone has it.
      assert.deepEqual([arrived.errors[1][0].message, arrived.errors[1][0].code, arrived.deep.inner.code], [
        "inner",
        undefined,
        undefined
      ])
    })
  })

  it("the shape of its graph", () => {
    const loop = new Error("loop")
    loop.cause = loop
    each(loop, (arrived) => assert.equal(arrived.cause, arrived))
    const all = new AggregateError([], "all")
    all.errors.push(all, new Error("in", { cause: all }))
    each(all, (arrived) => {
      assert.equal(arrived.errors[0], arrived)
      assert.equal(arrived.errors[1].cause, arrived)
    })
  })

  it("ten thousand causes, none of them on the stack", () => {
    let chain = new Error("0")
    for (let i = 1; i < 9000; i++) chain = new Error(String(i), { cause: chain })
    each(chain, (arrived) => {
      let length = 1
      for (let error = arrived; error.cause !== undefined; error = error.cause) length++
      assert.equal(length, 9000)
    })
  })

  it("a cause that is undefined, and no message where it has none", () => {
    each(new Error(undefined, { cause: undefined }), (arrived) => {
      assert.deepEqual(["cause" in arrived, Object.hasOwn(arrived, "message")], [true, false])
    })
  })

  property.prop([fc.dictionary(fc.string(), fc.anything({ withBigInt: true, withDate: true, withMap: true }))])(
    "fields of any name",
    (fields) => {
      const { message: _, stack: __, ...rest } = fields
      const thrown = new Error("m")
      for (const [key, value] of Object.entries(rest)) {
        Object.defineProperty(thrown, key, { value, enumerable: true, configurable: true, writable: true })
      }
      each(thrown, (arrived) => {
        assert.deepStrictEqual({ ...arrived }, structuredClone(rest))
      })
    }
  )
})

describe("An error of ours arrives as itself", () => {
  const inner = new TypeError("inner")
  const ours = [
    new TaskFailedError({ cause: inner }),
    new CancelledError({ reason: "shutdown" }),
    new TaskTimeoutError({ clock: "run", after: 5 }),
    new WorkerLostError({ workerId: 1, reason: "signal", signal: "SIGKILL" }),
    new PoisonTaskError({ attempts: 3, cause: new WorkerLostError({ workerId: "w", reason: "exit", exitCode: 1 }) }),
    new BrokenExecutorError({ cause: inner }),
    new ExecutorShutdownError(),
    new QueueFullError({ maxPending: 1 }),
    new NotPortableError({ path: "args[0]", value: "symbol", side: "argument" }),
    new TaskNotFoundError({ module: "file:///a", task: "t", cause: inner }),
    new InvalidOptionError({ option: "o", received: 1, expected: "2" }),
    new InvalidStateError("s")
  ]
  for (const error of ours) {
    it(`${error._tag}`, () => {
      for (const thrown of [error, new Error("outer", { cause: error }), new AggregateError([error])]) {
        each(thrown, (arrived) => {
          const got = thrown === error ? arrived : arrived.cause ?? arrived.errors[0]
          assert.equal(got.constructor, error.constructor)
          assert.deepEqual([got.name, got.message, got.stack], [error.name, error.message, error.stack])
          assert.deepEqual({ ...got }, { ...error })
          assert.deepEqual(Object.keys(got), Object.keys(error))
          assert.equal(got.cause instanceof Error, error.cause instanceof Error)
        })
      }
    })
  }
})

describe("A listed class comes back as an instance", () => {
  class NotFound extends Error {
    readonly id: string
    constructor(id: string) {
      assert.equal(typeof id, "string")
      super(`No ${id}`)
      this.id = id
    }
    describe() {
      return `${this.id} is missing`
    }
  }
  class UserNotFound extends NotFound {}
  class Problem {
    code = 7
    message = "text"
  }

  it("without its constructor being called", () => {
    const thrown = new NotFound("x")
    each(thrown, (arrived) => {
      assert.ok(arrived instanceof NotFound)
      assert.deepEqual([arrived.describe(), arrived.stack, Object.keys(arrived)], ["x is missing", thrown.stack, [
        "id"
      ]])
      assert.equal(Object.prototype.toString.call(arrived), "[object Error]")
    }, [Problem, NotFound])
  })

  it("of its own class rather than of an ancestor, of the nearest ancestor otherwise", () => {
    each(new UserNotFound("x"), (arrived) => assert.equal(arrived.constructor, UserNotFound), [NotFound, UserNotFound])
    class Special extends UserNotFound {}
    each(new Special("x"), (arrived) => assert.equal(arrived.constructor, UserNotFound), [NotFound, UserNotFound])
  })

  it("wherever it is in the graph", () => {
    each(new AggregateError([new NotFound("x")], "m", { cause: new NotFound("y") }), (arrived) => {
      assert.ok(arrived.errors[0] instanceof NotFound)
      assert.ok(arrived.cause instanceof NotFound)
    }, [NotFound])
  })

  it("also if it is no error", () => {
    each(new Problem(), (arrived) => {
      assert.ok(arrived instanceof Problem)
      assert.deepEqual({ ...arrived }, { code: 7, message: "text" })
      assert.equal("stack" in arrived, false)
    }, [Problem])
  })

  it("also if the lists differ in their order; and as a plain error if it is missing", () => {
    const record = encodeError(new NotFound("x"), { sharesMemory: true }, [Problem, NotFound])
    assert.ok(decodeError(record, [NotFound, Problem]) instanceof NotFound)
    const plain = decodeError(record) as NotFound
    assert.deepEqual([plain.constructor, plain.id, plain.message], [Error, "x", "No x"])
  })

  it("and a list that holds nonsense harms nothing", () => {
    const named = Object.assign(class extends TypeError {}, {})
    Object.defineProperty(named, "name", { get: () => Symbol("n") })
    each(new named("m"), (arrived) => assert.ok(arrived instanceof named), [named])
    const nonsense = [undefined, null, () => 1, {}, 5, Object.assign(() => 1, { prototype: Error.prototype })]
    each(new TypeError("m"), (arrived) => assert.ok(arrived instanceof TypeError), nonsense)
  })

  it("Effect's tagged errors: with their tag and fields always, as instances when listed", () => {
    class Missing extends Data.TaggedError("Missing")<{ readonly id: string }> {}
    class Wrong extends Schema.TaggedError<Wrong>()("Wrong", { id: Schema.String }) {}
    for (const thrown of [new Missing({ id: "x" }), new Wrong({ id: "x" })]) {
      each(thrown, (arrived) => {
        assert.deepEqual([arrived._tag, arrived.id, arrived.name, arrived instanceof Error], [
          thrown._tag,
          "x",
          thrown.name,
          true
        ])
      })
      each(thrown, (arrived) => {
        assert.equal(arrived.constructor, thrown.constructor)
        assert.deepEqual([arrived._tag, arrived.id, Object.keys(arrived)], [thrown._tag, "x", Object.keys(thrown)])
      }, [Missing, Wrong])
    }
  })
})

describe("What is no error arrives as exactly that value", () => {
  const values: Record<string, unknown> = {
    undefined,
    null: null,
    "a number": 0,
    "minus zero": -0,
    "not a number": NaN,
    "an empty text": "",
    "a text": "x",
    "a bigint": 1n,
    "a boolean": true,
    "an object": { a: 1, error: [1, new Map([[1, 2]])], nested: new TypeError("t") },
    "an array": [1],
    "a date": new Date(0)
  }
  for (const [name, value] of Object.entries(values)) {
    it(`${name}`, () => {
      each(value, (arrived) => assert.deepStrictEqual(arrived, structuredClone(value)))
    })
  }

  it("unless it cannot travel: then that is the error", () => {
    for (const thrown of [Symbol("s"), () => 1, { f: () => 1 }, Promise.resolve(), new Proxy({}, {})]) {
      each(thrown, (arrived) => {
        assert.ok(arrived instanceof NotPortableError)
        assert.equal(arrived.side, "error")
      })
    }
    each({ a: [Symbol("s")] }, (arrived) => assert.equal(arrived.path, "error.a[0]"))
  })
})
