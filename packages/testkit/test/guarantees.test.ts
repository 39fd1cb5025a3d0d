/** `docs/guarantees.md` and the laws say the same. `vitest run packages/testkit/test/guarantees.test.ts -u` writes the lists of laws anew. */
import { contract } from "@futures/testkit"
import type { LawSet } from "@futures/testkit"
import { globSync, readFileSync } from "node:fs"
import { relative } from "node:path"
import { expect, test } from "vitest"
import { conditionGrid } from "../src/conditions/grid.ts"
import { broken } from "../src/faults/broken.ts"
import { faultGrid } from "../src/faults/grid.ts"
import { hostile } from "../src/faults/hostile.ts"
import { programs } from "../src/faults/programs.ts"
import { shortages } from "../src/faults/shortages.ts"
import { surroundings } from "../src/faults/surroundings.ts"
import { interleavings } from "../src/model/interleavings.ts"
import { released } from "../src/soak/released.ts"
import { soak } from "../src/soak/soak.ts"

/** Promises that the page admits to have no law. One that gets a law leaves this list. */
const withoutLaw: ReadonlyArray<number> = []

const pagePath = new URL("../../../docs/guarantees.md", import.meta.url).pathname
const page = readFileSync(pagePath, "utf8")
const source = new URL("../src/", import.meta.url).pathname

const isLawSet = (value: unknown): value is LawSet => typeof value === "object" && value !== null && "concept" in value

/** Files that hold laws. */
const files = globSync(`${source}{laws,model,faults,conditions,soak}/*.ts`).toSorted().filter((file) =>
  /\blaws\("/.test(readFileSync(file, "utf8"))
)

const nothing = { pids: () => [] }

/** Law sets that must be told something before there are laws: told nothing, since only their names matter here. */
const parameterised: ReadonlyArray<LawSet> = [
  conditionGrid({
    origin: { module: "", name: "" },
    parties: { engine: nothing, broker: nothing },
    link: () => Promise.reject(new Error("only its name matters")),
    partyLinks: { engine: () => Promise.reject(new Error("only its name matters")) }
  }),
  faultGrid({}),
  hostile(undefined as never),
  programs({ module: "", name: "" }),
  shortages({ module: "", name: "" }),
  soak({ module: "", name: "" }, []),
  surroundings({ module: "", name: "" }, []),
  interleavings()
]

const sets = [...contract, broken, released, ...parameterised]

/** The file of each law set. */
const fileOf = new Map<LawSet, string>()
for (const file of files) {
  const found = Object.values(await import(file) as Record<string, unknown>).filter(isLawSet)
  const text = readFileSync(file, "utf8")
  for (const set of [...found, ...parameterised.filter(({ concept }) => text.includes(`laws("${concept}"`))]) {
    fileOf.set(set, relative(`${source}../../..`, file))
  }
}

/** The laws of a promise as the page lists them; those of no promise for 0. */
const listOf = (promise: number): string => {
  const items = sets.flatMap((set) =>
    set.laws.filter(({ promises }) => promise === 0 ? promises.length === 0 : promises.includes(promise)).map((
      { name }
    ) => `- [${name}](../${fileOf.get(set)})\n`)
  )
  if (items.length === 0) return "No law yet.\n"
  return `${promise === 0 ? "Laws that belong to no single promise" : "Laws"}:\n\n${items.join("")}`
}

const list = /^(Laws(?: that belong to no single promise)?:\n\n(?:- \[.*\n)+|No law yet\.\n)/gm

test("The page has the eighteen promises, in order", () => {
  const numbers = [...page.matchAll(/^### (\d+)\. /gm)].map(([, number]) => Number(number))
  expect(numbers).toEqual(Array.from({ length: 18 }, (_, index) => index + 1))
})

test("Every file with laws is known here", () => {
  expect(files.map((file) => relative(`${source}../../..`, file))).toEqual([...new Set(fileOf.values())].toSorted())
  expect([...fileOf.keys()].map(({ concept }) => concept).toSorted()).toEqual(
    sets.map(({ concept }) => concept).toSorted()
  )
})

test("Under each promise stand its laws and no others, and every law is somewhere", async () => {
  const sections = page.split(/^(?=##+ )/gm).map((section) => {
    const number = /^### (\d+)\. /.exec(section)?.[1] ?? (section.startsWith("## What the project decided") ? "0" : "")
    if (number === "") return section
    expect([section.slice(0, 40), section.match(list)?.length]).toEqual([section.slice(0, 40), 1])
    return section.replace(list, () => listOf(Number(number)))
  })
  await expect(sections.join("")).toMatchFileSnapshot(pagePath)
})

test("No promise but those known here is without a law", () => {
  const proved = new Set(sets.flatMap(({ laws }) => laws).flatMap(({ promises }) => promises))
  const unproved = Array.from({ length: 18 }, (_, index) => index + 1).filter((promise) => !proved.has(promise))
  expect(withoutLaw).toEqual(expect.arrayContaining(unproved))
})
