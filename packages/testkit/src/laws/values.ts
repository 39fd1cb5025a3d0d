/** What arrives is what was sent. */
import { NotPortableError } from "@futures/core"
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { inspect } from "node:util"
import { cloneable } from "../arbitraries.ts"
import { failsWith } from "../expect.ts"
import { law, laws, property } from "../Law.ts"
import { assertSame, portray } from "../portrait.ts"
import {
  add,
  countArguments,
  identity,
  lend,
  lendAndChange,
  makeDeep,
  paint,
  pair,
  same,
  soon,
  twice
} from "../tasks.ts"

/** So many levels of arrays around a text. */
const nested = (levels: number): unknown => {
  let value: unknown = "bottom"
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

const levelsOf = (value: unknown): number => {
  let levels = 0
  for (let inner = value; Array.isArray(inner); inner = inner[0]) levels++
  return levels
}

export const values = laws("values", [
  property(
    "The result of an identity task is what structuredClone makes of its argument",
    { promises: [1], runs: 300 },
    [cloneable()],
    async (trial, value) => {
      assertSame(await trial.shared.run(identity, value), structuredClone(value))
    }
  ),
  property(
    "A task sees of its argument what structuredClone makes of it",
    { promises: [1] },
    [cloneable()],
    async (trial, value) => {
      assert.equal(await trial.shared.run(paint, value), portray(structuredClone(value)))
    }
  ),
  property(
    "References that two arguments share are shared when they arrive, and so are those that a result repeats",
    { promises: [1] },
    [cloneable().filter((value) => typeof value === "object" && value !== null)],
    async (trial, object) => {
      assert.equal(await trial.shared.run(same, object, object), true)
      assert.equal(await trial.shared.run(same, object, structuredClone(object)), false)
      assertSame(await trial.shared.run(pair, [object], { object }), structuredClone([[object], { object }]))
      assertSame(await trial.shared.run(twice, object), structuredClone({ first: object, second: object }))
    }
  ),
  property(
    "Arguments are captured at submit: changing them afterwards changes nothing",
    { promises: [3] },
    [cloneable(), fc.uint8Array({ maxLength: 2_000 })],
    async (trial, value, bytes) => {
      const list = [value, bytes, { value }]
      const expected = structuredClone(list)
      const future = trial.shared.submit(identity, list)
      bytes.fill(255)
      Object.assign(list[2]!, { value: "changed", added: true })
      list.length = 1
      list[0] = "changed"
      assertSame(await future.result(), expected)
    }
  ),
  law("A result is captured when its task completes: what the task does to it afterwards changes nothing", {
    promises: [3]
  }, async (trial) => {
    assert.deepEqual(await trial.shared.run(lendAndChange), { n: 1 })
  }),
  law("A result is a copy: changing it changes nothing that the worker keeps", { promises: [3] }, async (trial) => {
    const first = await trial.single.run(lend)
    first.n = 5
    first.list.push(4)
    assert.deepEqual(await trial.single.run(lend), { n: 0, list: [1, 2, 3] })
  }),
  law("An argument is a copy: what arrives back is another object", { promises: [1, 3] }, async (trial) => {
    const value = { list: [1] }
    const result = await trial.shared.run(identity, value) as typeof value
    assert.notEqual(result, value)
    assert.notEqual(result.list, value.list)
  }),
  law(
    "A view carries only the bytes it shows, and a Buffer arrives as Uint8Array",
    { promises: [1] },
    async (trial) => {
      const small = new Uint8Array(new ArrayBuffer(65_536), 40_000, 4).fill(7)
      const result = await trial.shared.run(identity, [small, Buffer.from("abc")]) as [Uint8Array, Uint8Array]
      assert.deepEqual(result.map((view) => view.buffer.byteLength), [4, 3])
      assert.deepEqual(result[0], new Uint8Array([7, 7, 7, 7]))
      assert.equal(Object.getPrototypeOf(result[1]), Uint8Array.prototype)
    }
  ),
  law("A class instance arrives as plain data", { promises: [2] }, async (trial) => {
    class Point {
      readonly x = 1
      readonly y = { z: 2 }
      get sum(): number {
        return this.x + this.y.z
      }
    }
    assertSame(await trial.shared.run(identity, [new Point()]), [{ x: 1, y: { z: 2 } }])
  }),
  law("A task gets the arguments it was given, none and undefined included", { promises: [1] }, async (trial) => {
    assert.equal(await trial.shared.run(countArguments), 0)
    assert.equal(await trial.shared.run(countArguments, undefined), 1)
    assert.equal(await trial.shared.run(countArguments, undefined, null, 3), 3)
    assert.equal(await trial.shared.run(add, 2, 3), 5)
  }),
  law(
    "A promise, and anything thenable, that a task returns is awaited in the worker",
    { promises: [1] },
    async (trial) => {
      assert.deepEqual(await trial.shared.run(soon, { a: 1 }), { a: 1 })
    }
  ),
  law("A hundred million bits travel whole, together with small calls", { promises: [1, 5] }, async (trial) => {
    const large = new Uint8Array(12_500_000).map((_, index) => index % 251)
    const text = "x\u{1f600}".repeat(500_000)
    const jobs = [large, text, 1, large, "small"].map((value) => trial.shared.submit(identity, value))
    const results = await Promise.all(jobs.map((job) => job.result()))
    assert.deepEqual(results.map((value) => (value as string).length), [
      large.length,
      text.length,
      undefined,
      large.length,
      5
    ])
    assert.ok(
      Buffer.from(results[0] as Uint8Array).equals(large) && Buffer.from(results[3] as Uint8Array).equals(large)
    )
    assert.equal(results[1], text)
  }),
  law(
    "An argument of more than 64 MiB travels whole, and a small call beside it",
    { promises: [1, 5] },
    async (trial) => {
      const bytes = new Uint8Array(66 * 2 ** 20)
      for (let at = 0; at < bytes.length; at += 4_099) bytes[at] = at % 251
      const [large, small] = [trial.shared.submit(identity, bytes), trial.shared.submit(identity, "small")]
      assert.equal(await small.result(), "small")
      assert.ok(Buffer.from(await large.result() as Uint8Array).equals(bytes))
    }
  ),
  law(
    "Values nest at least 900 levels deep, and deeper ones that cannot travel fail alone",
    { promises: [1, 2] },
    async (trial) => {
      assert.equal(levelsOf(await trial.shared.run(identity, nested(900))), 900)
      const tooDeep = trial.shared.submit(identity, nested(100_000))
      const fine = trial.shared.submit(identity, 1)
      await failsWith(tooDeep.result(), NotPortableError, { side: "argument" })
      assert.equal(await fine.result(), 1)
      assert.equal(levelsOf(await trial.shared.run(makeDeep, 900)), 900)
      await failsWith(trial.shared.run(makeDeep, 100_000), NotPortableError, { side: "result" })
    }
  ),
  law(
    "What only shared memory can carry arrives as itself",
    { promises: [1], needs: ["shared memory"] },
    async (trial) => {
      const shared = new Int32Array(new SharedArrayBuffer(8))
      const result = await trial.shared.run(identity, shared) as typeof shared
      Atomics.store(shared, 0, 42)
      assert.equal(Atomics.load(result, 0), 42)
    }
  ),
  law("What only shared memory can carry arrives as itself or is refused, never copied in silence", {
    promises: [1, 2]
  }, async (trial) => {
    const buffer = new SharedArrayBuffer(8)
    for (const value of [buffer, new Int32Array(buffer), { deep: [buffer] }]) {
      const future = trial.shared.submit(identity, value)
      await future.wait()
      if (!future.successful()) await failsWith(future.result(), NotPortableError, { side: "argument" })
      else {assert.ok(
          inspect(await future.result()).includes(value instanceof Int32Array ? "Int32Array" : "SharedArrayBuffer")
        )}
    }
  })
])
