import * as assert from "node:assert/strict"
import { createSecretKey } from "node:crypto"
import { BlockList } from "node:net"
import { describe, it } from "vitest"
import { NotPortableError } from "../../src/ExecutorError.ts"
import { captureArgs, captureLenient, type CaptureMode, captureValue } from "../../src/wire/value.ts"

const shares = { sharesMemory: true }
const apart = { sharesMemory: false }

const refusal = (value: unknown, mode: CaptureMode = shares): NotPortableError => {
  try {
    captureArgs([value], mode)
  } catch (error) {
    assert.ok(error instanceof NotPortableError, `not ${String(error)}`)
    assert.equal(error.side, "argument")
    return error
  }
  assert.fail("captured")
}

const detached = (): ArrayBuffer => {
  const buffer = new ArrayBuffer(8)
  structuredClone(buffer, { transfer: [buffer] })
  return buffer
}

const shrunk = (): Uint8Array => {
  const buffer = new ArrayBuffer(8, { maxByteLength: 16 })
  const view = new Uint8Array(buffer, 4, 4)
  buffer.resize(5)
  return view
}

const detachedView = (): Uint8Array => {
  const view = new Uint8Array(8)
  structuredClone(view.buffer, { transfer: [view.buffer] })
  return view
}

const chain = (levels: number): unknown => {
  let value: unknown = 1
  for (let i = 0; i < levels; i++) value = { next: value }
  return value
}

const iteratorHelper = (): unknown => {
  const { Iterator } = globalThis as never as { Iterator: { from(source: unknown): { take(count: number): unknown } } }
  return Iterator.from([1]).take(1)
}

const never: Record<string, () => unknown> = {
  "a function": () => () => 1,
  "a class": () => class {},
  "a symbol": () => Symbol("s"),
  "a boxed symbol": () => Object(Symbol("s")),
  "a proxy of an object": () => new Proxy({ a: 1 }, {}),
  "a proxy of an array": () => new Proxy([1], {}),
  "a proxy of an error": () => new Proxy(new Error("e"), {}),
  "a revoked proxy": () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  },
  "a promise": () => Promise.resolve(1),
  "a promise with a field": () => Object.assign(Promise.resolve(1), { field: 1 }),
  "a WeakMap": () => new WeakMap(),
  "a WeakSet": () => new WeakSet(),
  "a WeakRef": () => new WeakRef({}),
  "a generator": () => (function*() {})(),
  "an async generator": () => (async function*() {})(),
  "an iterator of an array": () => [1].values(),
  "an iterator of a map": () => new Map().entries(),
  "an iterator helper": () => iteratorHelper(),
  "a URL": () => new URL("https://example.org"),
  URLSearchParams: () => new URLSearchParams("a=1"),
  Headers: () => new Headers({ a: "1" }),
  "a Request": () => new Request("https://example.org"),
  "a Response": () => new Response("x"),
  FormData: () => new FormData(),
  "an AbortSignal": () => new AbortController().signal,
  "an AbortController": () => new AbortController(),
  "an EventTarget": () => new EventTarget(),
  "an Event": () => new Event("x"),
  "a TextEncoder": () => new TextEncoder(),
  "a stream": () => new ReadableStream(),
  Math: () => Math,
  JSON: () => JSON,
  Reflect: () => Reflect,
  globalThis: () => globalThis,
  arguments: () =>
    Reflect.apply(
      function() {
        return arguments
      },
      undefined,
      [1]
    ),
  "empty arguments": () =>
    (function() {
      return arguments
    })(),
  "a module": () => import.meta.dirname && module,
  "Intl objects": () => new Intl.NumberFormat(),
  "an instance with private state only": () =>
    new class Secret {
      #x = 1
      x() {
        return this.#x
      }
    }(),
  "an instance without fields": () => new class Empty {}(),
  "an object that only looks like a map": () => Object.create(Map.prototype),
  "a detached buffer": detached,
  "a view on a detached buffer": detachedView,
  "a view that fell out of its buffer": shrunk,
  "a getter that throws": () => ({
    get g() {
      throw new Error("no")
    }
  }),
  "an error whose cause is a function": () => new Error("e", { cause: () => 1 }),
  "an error whose name throws": () =>
    Object.defineProperty(new Error("e"), "name", {
      get() {
        throw new Error("no")
      }
    }),
  "a value that is too deep": () => chain(1001)
}

const module = await import("node:path")

describe("What cannot travel is refused on every backend, never emptied", () => {
  for (const [name, make] of Object.entries(never)) {
    it(`${name}`, () => {
      for (const mode of [shares, apart]) {
        assert.equal(refusal(make(), mode).path.startsWith("args[0]"), true)
        assert.equal(refusal({ in: [make()] }, mode).path.startsWith("args[0].in[0]"), true)
        assert.equal(refusal(new Map([[make(), 1]]), mode).path.startsWith("args[0].keys()[0]"), true)
        assert.equal(refusal(new Set([1, make()]), mode).path.startsWith("args[0].values()[1]"), true)
        assert.equal(
          refusal(
            new class {
              field = make()
            }(),
            mode
          ).path.startsWith("args[0].field"),
          true
        )
      }
    })
  }

  it("also as the second of its class", () => {
    for (let i = 0; i < 3; i++) {
      refusal(new URL("https://example.org"))
      refusal(Promise.resolve())
    }
  })

  it("also when other instances of its class have fields", () => {
    class Sometimes {
      #hidden = 1
      hidden() {
        return this.#hidden
      }
    }
    captureArgs([Object.assign(new Sometimes(), { a: 1 })], shares)
    assert.equal(refusal(new Sometimes()).value, "instance of Sometimes")
  })
})

describe("What only shared memory can carry is refused elsewhere, with that hint", () => {
  const kinds: Record<string, () => unknown> = {
    SharedArrayBuffer: () => new SharedArrayBuffer(4),
    "a view on one": () => new Uint8Array(new SharedArrayBuffer(4)),
    Blob: () => new Blob(["x"]),
    File: () => new File(["x"], "f"),
    KeyObject: () => createSecretKey(Buffer.alloc(8)),
    BlockList: () => new BlockList(),
    "WebAssembly.Module": () => {
      const { WebAssembly } = globalThis as unknown as { WebAssembly: { Module: new(bytes: Uint8Array) => object } }
      return new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))
    }
  }
  for (const [name, make] of Object.entries(kinds)) {
    it(`${name}`, () => {
      captureArgs([{ a: make() }], shares)
      assert.match(refusal({ a: make() }, apart).message, /args\[0\]\.a .*share memory/)
    })
  }

  it("MessagePort, which must be handed over even there", () => {
    const { port1, port2 } = new MessageChannel()
    assert.match(refusal([port1], apart).message, /share memory/)
    assert.match(refusal([port1], shares).message, /transfer/)
    port1.close()
    port2.close()
  })
})

describe("The path says where", () => {
  const f = function callback() {}
  const paths: ReadonlyArray<readonly [string, unknown]> = [
    ["args[0]", f],
    ["args[0].user.callback", { user: { callback: f } }],
    ["args[0].m.get(\"k\").f", { m: new Map([["k", { f }]]) }],
    ["args[0].a[1][\"b-c\"]", { a: [0, { "b-c": f }] }],
    ["args[0].values()[1][0]", new Map<unknown, unknown>([[1, 2], [{}, [f]]])],
    ["args[0].get(1n)", new Map([[1n, f]])],
    ["args[0].keys()[0].f", new Map([[{ f }, 1]])],
    ["args[0].values()[0].f", new Set([{ f }])],
    ["args[0][2]", [, , f]], // oxlint-disable-line no-sparse-arrays
    ["args[0].named", Object.assign([1], { named: f })],
    ["args[0].cause.f", new Error("e", { cause: { f } })],
    ["args[0][\"\"]", { "": f }],
    ["args[0].é", { é: f }],
    ["args[0].point.f", {
      point: new class Point {
        f = f
      }()
    }],
    ["args[0].__proto__", JSON.parse("{\"__proto__\":1}", (key, value) => key === "__proto__" ? f : value)]
  ]
  for (const [path, value] of paths) {
    it(`${path}`, () => {
      const error = refusal(value)
      assert.deepEqual([error.path, error.value, error.name], [path, "function callback", "NotPortableError"])
    })
  }

  it("names the argument", () => {
    assert.throws(() => captureArgs([1, "x", {}, [Symbol("s")]], shares), { path: "args[3][0]", value: "symbol" })
  })

  it("names the root that it was given", () => {
    assert.throws(() => captureValue({ f }, "result", "result", shares, []), { path: "result.f", side: "result" })
  })

  it("names the getter that threw, and gives its error as the cause", () => {
    const thrown = new TypeError("no")
    const throwing = {
      get g() {
        throw thrown
      }
    }
    const inArray = Object.defineProperty([1, 2], 1, { get: () => throwing.g, enumerable: true })
    for (const [path, value] of [["args[0].g", throwing], ["args[0].a[1]", { a: inArray }]] as const) {
      const error = refusal(value)
      assert.deepEqual([error.path, error.cause, error.value], [path, thrown, "throws TypeError: no"])
    }
    const nameless = Object.defineProperty(new Error("e"), "name", { get: () => throwing.g })
    assert.deepEqual([refusal([nameless]).cause, refusal([nameless]).path], [thrown, "args[0][0]"])
    assert.equal(
      "cause" in refusal({
        get g() {
          throw undefined
        }
      }),
      true
    )
    assert.equal("cause" in refusal(f), false)
  })

  it("stays short when the value is deep", () => {
    const error = refusal(chain(5000))
    assert.equal(error.value, "too deep")
    assert.ok(error.path.length < 200, error.path)
  })

  it("is found even where the stack ends first", () => {
    const deep = chain(999)
    const fall = (levels: number): unknown => {
      try {
        return fall(levels + 1)
      } catch {
        return refusal(deep).value
      }
    }
    assert.equal(fall(0), "too deep")
  })
})

describe("A lenient capture never throws", () => {
  for (const [name, make] of Object.entries(never)) {
    it(`but describes ${name}`, () => {
      for (const mode of [shares, apart]) {
        const captured = captureLenient({ kept: 1, field: make() }, mode, []) as { kept: number; field: unknown }
        assert.equal(captured.kept, 1)
        structuredClone(captured)
      }
    })
  }

  it("with a short text in the place of each thing that cannot travel", () => {
    const value = {
      callback: function callback() {},
      nameless: (() => () => 1)(),
      symbol: Symbol("s"),
      proxy: new Proxy({}, {}),
      get getter() {
        throw new TypeError("msg")
      },
      list: [1, () => 1, , new URL("https://example.org")], // oxlint-disable-line no-sparse-arrays
      map: new Map([["k", Promise.resolve()]]),
      point: new class Point {
        x = 1
        f = Symbol("f")
      }()
    }
    const holes: unknown[] = [1, "[function]", , "[URL]"] // oxlint-disable-line no-sparse-arrays
    assert.deepEqual(captureLenient(value, shares, []), {
      callback: "[function callback]",
      nameless: "[function]",
      symbol: "[symbol]",
      proxy: "[Proxy]",
      getter: "[throws TypeError: msg]",
      list: holes,
      map: new Map([["k", "[Promise]"]]),
      point: { x: 1, f: "[symbol]" }
    })
    assert.equal(captureLenient(() => 1, shares, []), "[function]")
  })

  it("and cuts off what is too deep", () => {
    let value = captureLenient(chain(1002), shares, []) as { next?: unknown } | string
    while (typeof value === "object") value = value.next as typeof value
    assert.equal(value, "[too deep]")
  })
})
