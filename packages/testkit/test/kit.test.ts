/** What the laws themselves stand on. */
import { fc, test as property } from "@fast-check/vitest"
import { InlineExecutor } from "@futures/core"
import { arbitraries, assertSame, contract, laws, portray, staleGaps, verify } from "@futures/testkit"
import type { Law } from "@futures/testkit"
import { expect, test } from "vitest"

const all = contract.flatMap((set) => set.laws)

test("Laws are named once, as sentences, and name promises that there are", () => {
  const names = all.map(({ name }) => name)
  expect(names).toEqual([...new Set(names)])
  for (const { name, promises } of all) {
    expect(name).toMatch(/^\S+.*\s.*[^.]$/)
    for (const promise of promises) expect(promise >= 1 && promise <= 18).toBe(true)
  }
})

test("A gap excuses from the laws that need it, and from no other", async () => {
  const law = (name: string, needs: Law["needs"]): Law => ({
    name,
    promises: [],
    needs,
    check: () => Promise.resolve()
  })
  const set = laws("made up", [law("needs workers", ["workers"]), law("needs nothing", []), law("is named", [])])
  const gaps = [{ name: "workers", reason: "has none" }, { name: "is named", reason: "is known" }]
  const verdicts: Array<unknown> = []
  for await (
    const { law: { name }, verdict } of verify({ name: "inline", executor: InlineExecutor, gaps }, { laws: [set] })
  ) {
    verdicts.push([name, verdict])
  }
  expect(verdicts).toEqual([["needs workers", "gap"], ["needs nothing", "kept"], ["is named", "gap"]])
  const wrong = { name: "worker", reason: "misspelt" }
  expect(staleGaps({ name: "inline", executor: InlineExecutor, gaps: [...gaps, wrong] }, [set])).toEqual([wrong])
})

test("A broken law that needs a capability says how to declare the gap", async () => {
  const check = (): Promise<void> => Promise.reject(new Error("broken"))
  const made = laws("made up", [{ name: "needs marks", promises: [], needs: ["marks"], check }])
  for await (const verdict of verify({ name: "inline", executor: InlineExecutor }, { laws: [made] })) {
    expect(verdict).toMatchObject({
      verdict: "broken",
      error: { message: expect.stringContaining("declare it: gaps: [{ name: \"marks\", reason: \"...\" }]") }
    })
  }
})

const shared = { a: 1 }
const view = new Uint8Array([1, 2, 3, 4])

test.for<readonly [difference: string, one: unknown, other: unknown]>([
  ["the sign of zero", -0, 0],
  ["a hole", new Array(1), [undefined]],
  ["an absent key", {}, { a: undefined }],
  ["the order of keys", { a: 1, b: 2 }, { b: 2, a: 1 }],
  ["the order of a map", new Map([[1, 1], [2, 2]]), new Map([[2, 2], [1, 1]])],
  ["the order of a set", new Set([1, 2]), new Set([2, 1])],
  ["a shared reference", [shared, shared], [{ a: 1 }, { a: 1 }]],
  ["a class", new Map(), new Set()],
  ["a kind of view", new Uint8Array([1]), new Int8Array([1])],
  ["bytes", view.subarray(0, 2), view.subarray(1, 3)],
  ["a boxed value", Object(1), Object(2)],
  ["the flags of a regular expression", /a/, /a/g],
  ["an invalid date", new Date(NaN), new Date(0)],
  ["a cause", new Error("e", { cause: undefined }), new Error("e")],
  ["a lone surrogate", "\ud800", "\ufffd"],
  ["a limit of a buffer", new ArrayBuffer(1), new ArrayBuffer(1, { maxByteLength: 2 })],
  ["a prototype that is data", JSON.parse("{\"__proto__\":{}}"), {}]
])("A portrait shows %s", ([, one, other]) => {
  expect(portray(one)).not.toBe(portray(other))
  expect(() => assertSame(one, other)).toThrow("expected")
  assertSame(one, one)
})

property.prop([arbitraries.cloneable()], { numRuns: 500 })(
  "Arbitrary values can be cloned, and a clone is itself cloned faithfully",
  (value) => {
    const clone = structuredClone(value)
    assertSame(structuredClone(clone), clone)
  }
)

test("Arbitrary values hold cycles and shared references, holes, views and errors", () => {
  const portraits = fc.sample(arbitraries.cloneable(), { numRuns: 2_000, seed: 1 }).map(portray)
  for (
    const sign of [
      /^#0 Map.*#0/m,
      /#(\d+)\D.*#\1\D/,
      /Float64Array/,
      /RangeError/,
      /"__proto__": /,
      /\\ud800/,
      /-0/,
      /Buffer/
    ]
  ) {
    expect(portraits.some((portrait) => sign.test(portrait))).toBe(true)
  }
})
