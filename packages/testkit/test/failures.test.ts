/** The page of failures names tests that there are. */
import { broken, contract, faultGrid, hostile, programs, released, shortages, soak } from "@futures/testkit"
import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { identity } from "../src/tasks.ts"

const page = new URL("../../../docs/failures.md", import.meta.url)

const links = [...readFileSync(page, "utf8").matchAll(/\[([^\]]+)\]\((\.\.\/packages\/[^)]+)\)/g)]
  .map(([, name, file]) => ({ name: name!, file: file! }))

const nowhere = { module: "", name: "" }
const laws = [
  broken,
  released,
  faultGrid({}),
  hostile(identity as never),
  programs(nowhere),
  shortages(nowhere),
  soak(nowhere, []),
  ...contract
]
  .flatMap((set) => set.laws.map(({ name }) => name))

test("There are links", () => {
  expect(links.length).toBeGreaterThan(30)
})

test.for(links)("docs/failures.md: $name", ({ file, name }) => {
  const text = readFileSync(new URL(file, page), "utf8")
  expect(laws.includes(name) || text.includes(JSON.stringify(name).slice(1, -1))).toBe(true)
})
