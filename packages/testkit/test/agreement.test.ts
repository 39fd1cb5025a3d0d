/** The backends' lists of laws are equal but for gaps. */
import { expect, test } from "vitest"
import { disagreements } from "./agreement.ts"

const backend = (name: string, kept: ReadonlyArray<string>, excused: Readonly<Record<string, string>> = {}) => ({
  backend: name,
  kept: new Set(kept),
  excused: new Map(Object.entries(excused))
})

test("Lists of kept laws agree when gaps alone are between them", () => {
  expect(disagreements([backend("a", ["one", "two"]), backend("b", ["one"], { two: "workers" })])).toEqual([])
})

test("A law that one backend keeps, and another neither keeps nor is excused from, is told of", () => {
  expect(disagreements([backend("a", ["one", "two"]), backend("b", ["one"])])).toEqual(["b: two"])
  expect(disagreements([backend("a", []), backend("b", [], { three: "workers" })])).toEqual(["a: three"])
})
