/**
 * What becomes of each library when things go wrong: `pnpm bench failures [scene ...] [--only library]`.
 *
 * Every library goes through every scene, each time in a fresh process that is ended in time. Without arguments, what was seen is kept in
 * `benchmarks/results` and written into `docs/failures.md`.
 */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { parseArgs } from "node:util"
import { progress } from "../src/progress.ts"
import { machine, write } from "../src/results.ts"
import { problemsOf } from "./judge.ts"
import { play } from "./play.ts"
import type { Seen } from "./play.ts"
import { libraries } from "./pools.ts"
import type { Library } from "./pools.ts"
import { tables, writePage } from "./report.ts"
import { scenes } from "./scenes.ts"
import type { Scene } from "./scenes.ts"

/** One library in one scene. */
export interface Cell {
  readonly scene: string
  readonly library: string
  readonly kind: string
  /** Empty when all is as it ought to be. */
  readonly problems: ReadonlyArray<string>
  readonly seen: Seen
}

/** What is kept. */
export interface Findings {
  readonly taken: string
  readonly machine: ReturnType<typeof machine>
  readonly versions: Readonly<Record<string, string>>
  readonly cells: ReadonlyArray<Cell>
}

/** Scenes at a time: most of them wait. */
const AT_A_TIME = 4

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string", multiple: true, default: [] } }
})
const asked = positionals.filter((name) => name !== "failures")
const played = scenes.filter(({ id }) => asked.length === 0 || asked.includes(id))
const taking = libraries.filter(({ name }) => values.only.length === 0 || values.only.includes(name))
const pairs = played.flatMap((scene) =>
  taking.filter(({ kind }) => scene.kinds?.includes(kind) !== false).map((library) => ({ scene, library }))
)
if (pairs.length === 0) {
  console.error(
    `failures [${scenes.map(({ id }) => id).join("|")} ...] [--only ${libraries.map(({ name }) => name).join("|")}]`
  )
  process.exit(2)
}

const versionOf = ({ package: name }: Library): string => {
  const require = createRequire(import.meta.url)
  // Not every package exports its package.json.
  for (const directory of require.resolve.paths(name) ?? []) {
    try {
      return (JSON.parse(readFileSync(`${directory}/${name}/package.json`, "utf8")) as { version: string }).version
    } catch {
      // Not there.
    }
  }
  return "unknown"
}

const before = machine()
const bar = progress(pairs.length)
const cells: Array<Cell> = []
const perform = async (scene: Scene, library: Library): Promise<void> => {
  const seen = await play(scene, library)
  cells.push({ scene: scene.id, library: library.name, kind: library.kind, problems: problemsOf(scene, seen), seen })
  bar.step(scene.id, library.name, library.kind)
}
const waiting = [...pairs]
await Promise.all(Array.from({ length: AT_A_TIME }, async () => {
  for (let pair = waiting.shift(); pair !== undefined; pair = waiting.shift()) await perform(pair.scene, pair.library)
}))
bar.end()

const place = ({ kind, library, scene }: Cell): number =>
  pairs.findIndex((pair) => pair.scene.id === scene && pair.library.name === library && pair.library.kind === kind)
const findings: Findings = {
  taken: new Date().toISOString(),
  machine: before,
  versions: Object.fromEntries(taking.map((library) => [library.name, versionOf(library)])),
  cells: cells.toSorted((one, other) => place(one) - place(other))
}
console.log(tables(findings))
if (asked.length === 0 && values.only.length === 0) {
  write("failures.json", `${JSON.stringify(findings, undefined, 1)}\n`)
  writePage(findings)
}
// The guard of our own words: what we promise is seen here too.
if (findings.cells.some(({ library, problems }) => library === "@futures" && problems.length > 0)) process.exitCode = 1
