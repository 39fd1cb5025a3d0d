/** `docs/coming-from-node-pools.md`: the words of other pools are theirs, and ours are ours. */
import { globSync, readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"

const root = new URL("../..", import.meta.url).pathname
const page = readFileSync(`${root}docs/coming-from-node-pools.md`, "utf8")

const textOf = (pattern: string): string =>
  globSync(pattern, { cwd: root }).map((file) => readFileSync(`${root}${file}`, "utf8")).join("\n")

const own = textOf("packages/{core,thread-executor,process-executor}/src/*.ts") +
  textOf("packages/core/src/{engine,worker}/*.ts")

/** What a user imports or calls: code in a cell, without its placeholders. */
const wordsOf = (cell: string, placeholders: ReadonlySet<string>): Array<string> =>
  [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, code]) =>
    [...code!.replaceAll(/"[^"]*"/g, "").matchAll(/[A-Za-z_]\w+/g)].map(([word]) => word)
  ).filter((word) => !placeholders.has(word))

const placeholders = new Set(
  "new await using import meta add args data executor file function future items methods options params path pool promise script task taskFunctions tasks undefined value worker workerpool delay min max"
    .split(" ")
)

const declarations: Readonly<Record<string, string>> = {
  piscina: "dist/**/*.{d.ts,js}",
  tinypool: "dist/*.d.ts",
  workerpool: "{types/**/*.d.ts,src/*.js}",
  "jest-worker": "build/index.d.ts",
  poolifier: "lib/index.d.ts"
}

const sections = page.split(/^## /m).slice(1).map((section) => {
  const [name, ...lines] = section.split("\n")
  const rows = lines.filter((line) => line.startsWith("| ")).slice(1).filter((line) => !line.startsWith("| -"))
    .map((line) => line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "").trim()))
  return { name: name!, rows }
})

test("every pool that is compared has a section", () => {
  expect(sections.map(({ name }) => name)).toEqual(Object.keys(declarations))
})

describe.for(sections)("$name", ({ name, rows }) => {
  const theirs = textOf(`benchmarks/node_modules/${name}/${declarations[name]}`)
  const unknown = (words: ReadonlyArray<string>, text: string): ReadonlyArray<string> =>
    words.filter((word) => !new RegExp(`\\b${word}\\b`).test(text))

  test("its words are in its declarations", () => {
    expect(theirs).not.toBe("")
    expect(rows.length).toBeGreaterThan(5)
    expect(unknown(rows.flatMap(([theirWords]) => wordsOf(theirWords!, placeholders)), theirs)).toEqual([])
  })

  test("our words are in our sources", () => {
    expect(unknown(rows.flatMap(([, ourWords]) => wordsOf(ourWords!, placeholders)), own)).toEqual([])
  })

  test("the page names the version that is installed", () => {
    const { version } = JSON.parse(readFileSync(`${root}benchmarks/node_modules/${name}/package.json`, "utf8"))
    expect(page.replaceAll(/\s+/g, " ")).toContain(`${name} ${version.split(".").slice(0, 2).join(".")}`)
  })
})
