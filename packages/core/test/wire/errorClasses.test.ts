/** Listed error classes of every shape: an instance arrives usable, or as a plain error that says why. */
import { fc } from "@fast-check/vitest"
import { Task } from "@futures/core"
import assert from "node:assert/strict"
import { expect, test } from "vitest"
import { encodeError } from "../../src/wire/error.ts"
import { hasPrivateState } from "../../src/wire/privateState.ts"
import { each } from "./travel.ts"

/** One feature of a class: its members, and what is read of an instance. */
interface Feature {
  readonly members: string
  readonly isPrivate: boolean
  readonly read: string
}

const features: Readonly<Record<string, Feature>> = {
  field: { members: "size = 3", isPrivate: false, read: "error.size" },
  getter: { members: "get twice() { return this.message + this.message }", isPrivate: false, read: "error.twice" },
  method: { members: "shout() { return this.message.toUpperCase() }", isPrivate: false, read: "error.shout()" },
  privateField: { members: "#secret = 7; get secret() { return this.#secret }", isPrivate: true, read: "error.secret" },
  privateMethod: { members: "#yes() { return 1 } ask() { return this.#yes() }", isPrivate: true, read: "error.ask()" },
  brand: { members: "#mark; is() { return #mark in this }", isPrivate: true, read: "error.is()" },
  inTemplate: { members: "#part = 1; text() { return `${this.#part}` }", isPrivate: true, read: "error.text()" },
  hashes: {
    members: "tag = '#a' + \"#b\" + `#c${'#d'}#e` + String(/[/#]#f/); /* #g */ // #h\n",
    isPrivate: false,
    read: "error.tag"
  },
  symbol: { members: "get [Symbol.toStringTag]() { return 'E' }", isPrivate: false, read: "String(error.message)" }
}
const names = Object.keys(features)

const classOf = (own: ReadonlyArray<string>, parent: ReadonlyArray<string>, isFrozen: boolean): new() => Error => {
  const body = (members: ReadonlyArray<string>): string => members.map((name) => features[name]!.members).join("\n")
  return new Function(`
    class Parent extends Error { ${body(parent)} }
    return class Shaped extends Parent {
      ${body(own)}
      constructor(text) {
        super(text.trim())
        this.name = "Shaped"
        ${isFrozen ? "Object.freeze(this)" : ""}
      }
    }`)()
}

const read = (error: unknown, name: string): unknown => new Function("error", `return ${features[name]!.read}`)(error)

test("an instance of a listed class does what the original does, or is a plain error of that name that says why", () => {
  fc.assert(
    fc.property(fc.subarray(names), fc.subarray(names), fc.boolean(), fc.string(), (own, parent, frozen, text) => {
      const Shaped = classOf(own, parent, frozen) as unknown as new(text: string) => Error
      const original = new Shaped(text)
      const used = [...new Set([...own, ...parent])]
      const isPrivate = used.some((name) => features[name]!.isPrivate)
      assert.equal(hasPrivateState(Shaped), isPrivate)
      each(original, (arrived) => {
        assert.deepEqual([arrived.name, arrived.message, arrived.stack], ["Shaped", original.message, original.stack])
        assert.equal(arrived instanceof Shaped, !isPrivate)
        assert.equal("notRebuilt" in arrived, isPrivate)
        if (isPrivate) assert.match(arrived.notRebuilt, /^Shaped has private members/)
        else for (const name of used) assert.deepEqual(read(arrived, name), read(original, name))
      }, [Shaped])
      const codec = Task.error(Shaped, { encode: ({ message }) => message, decode: (message) => new Shaped(message) })
      each(original, (arrived) => {
        assert.ok(arrived instanceof Shaped)
        for (const name of used) assert.deepEqual(read(arrived, name), read(original, name))
        if (!frozen) assert.equal(arrived.stack, original.stack)
      }, [codec])
    })
  )
})

test("classes that were compiled to an older target are recognized by the helpers of the compiler", () => {
  for (
    const helper of [
      "__classPrivateFieldGet",
      "_classPrivateFieldInitSpec",
      "_class_private_field_get",
      "__privateAdd",
      "__privateGet"
    ]
  ) {
    const Old = new Function(`return class Old extends Error { get x() { return ${helper}(this, _x) } }`)()
    expect(hasPrivateState(Old)).toBe(true)
  }
  for (const text of ["class Fine extends Error { isPrivate() { return this.private } }", "function Old() {}"]) {
    expect(hasPrivateState(new Function(`return ${text}`)())).toBe(false)
  }
})

test("an encode or decode that throws, or gives what cannot be used, leaves a plain error that says so", () => {
  class Odd extends Error {
    override name = "Odd"
    extra = 1
  }
  const fails = (): never => {
    throw new Error("no")
  }
  const codecs = [
    Task.error(Odd, { encode: fails, decode: () => new Odd() }),
    Task.error(Odd, { encode: () => () => 1, decode: () => new Odd() }),
    Task.error(Odd, { encode: () => 1, decode: fails }),
    Task.error(Odd, { encode: () => 1, decode: () => 1 as never })
  ]
  for (const codec of codecs) {
    each(new Odd("o"), (arrived) => {
      assert.equal(Object.getPrototypeOf(arrived), Error.prototype)
      assert.deepEqual([arrived.name, arrived.message, arrived.extra], ["Odd", "o", 1])
      assert.match(arrived.notRebuilt, /^(en|de)code of Odd failed: /)
    }, [codec])
  }
  expect(() => Task.error(Odd, {} as never)).toThrow(/Task\.error takes a class/)
})

test("a plain error of a class that gives itself no name has the name of the class", () => {
  class Nameless extends TypeError {
    readonly #secret = 1
    get secret(): number {
      return this.#secret
    }
  }
  for (const listed of [Nameless, Task.error(Nameless, { encode: () => 1, decode: () => 1 as never })]) {
    each(new Nameless("n"), (arrived) => {
      assert.deepEqual([arrived.name, arrived.message], ["Nameless", "n"])
      assert.equal(Object.getPrototypeOf(arrived), TypeError.prototype)
      assert.ok(arrived.notRebuilt.includes("Nameless"))
    }, [listed])
  }
})

/** How many properties are read to encode an error that holds so many objects. */
const readsOf = (objects: number, fields: number, errors: number): number => {
  let reads = 0
  class Node {
    next: unknown
    run = (): number => 1
    constructor(next: unknown) {
      this.next = next
      Object.defineProperty(this, "counted", { enumerable: true, get: () => ++reads })
    }
  }
  let graph: unknown = { end: true }
  const all: Array<unknown> = []
  for (let i = 0; i < objects; i++) all.push(graph = new Node(i % 900 === 0 ? undefined : graph))
  const holding = (): Error =>
    Object.assign(new Error("e"), Object.fromEntries(Array.from({ length: fields }, (_, i) => [i, all])))
  const thrown = new AggregateError(Array.from({ length: errors }, holding), "all")
  encodeError(thrown, { sharesMemory: true })
  return reads
}

test("encoding reads each object once, however many there are, and however many fields and errors hold it", () => {
  for (const objects of [100, 200, 400, 4_000]) {
    for (const fields of [1, 3]) for (const errors of [1, 5]) expect(readsOf(objects, fields, errors)).toBe(objects)
  }
})
