/**
 * A release up to the last step: in a copy of this tree, changesets become versions and changelogs, and the packages of those versions are built, packed,
 * tried out (`package:check`) and offered to npm in a dry run. Nothing is published, and this tree stays as it is.
 */
import { execFileSync } from "node:child_process"
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { command, endAll } from "../package-check/command.ts"
import type { Manifest } from "../package-check/pack.ts"
import { table } from "../package-check/table.ts"

const root = new URL("../..", import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), "futures-release-"))
process.on("exit", () => {
  endAll()
  rmSync(folder, { recursive: true, force: true })
})
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1))

const git = (...words: ReadonlyArray<string>): string => execFileSync("git", words, { cwd: root, encoding: "utf8" })

const step = async (what: string, words: Parameters<typeof command>[0], timeout?: number): Promise<string> => {
  console.log(what)
  const ended = await command(words, { cwd: folder, timeout })
  if (ended.ok) return ended.stdout
  console.error(`\n$ ${words.join(" ")}\n${ended.output}`)
  process.exit(1)
}

const pnpm = (...words: ReadonlyArray<string>) => ["npx", "-y", "pnpm@12", ...words] as const

/** The packages that are published, as they are in a tree. */
const packagesOf = (tree: string): ReadonlyArray<Manifest> =>
  globSync("packages/*/package.json", { cwd: tree }).toSorted()
    .map((path) => JSON.parse(readFileSync(join(tree, path), "utf8")) as Manifest)
    .filter((manifest) => manifest.private !== true)

const before = git("status", "--porcelain")
const files = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
for (const file of new Set(files)) {
  if (file !== "" && existsSync(join(root, file))) cpSync(join(root, file), join(folder, file))
}

await step("copying the tree", ["git", "init", "--quiet", "--initial-branch=main"])
await step("installing", pnpm("install", "--frozen-lockfile"), 300_000)
await step("versioning", ["node_modules/.bin/changeset", "version"])

const [old, released] = [packagesOf(root), packagesOf(folder)]
const complaints = released.flatMap(({ name, version }, index) => {
  const said: ReadonlyArray<readonly [boolean, string]> = [
    [version !== old[index]!.version, `${name} stays at ${version}: a release needs a changeset`],
    [
      version === released[0]!.version,
      `${name} has version ${version}, ${released[0]!.name} has ${released[0]!.version}`
    ],
    [
      existsSync(join(folder, "packages", name.slice("@futures/".length), "CHANGELOG.md")),
      `${name} has no changelog`
    ]
  ]
  return said.filter(([isFine]) => !isFine).map(([, what]) => what)
})
const left = globSync(".changeset/*.md", { cwd: folder }).filter((path) => !path.endsWith("README.md"))
if (left.length > 0) complaints.push(`not used up: ${left.join(", ")}`)
for (const complaint of complaints) console.error(complaint)
if (complaints.length > 0) process.exit(1)

const checked = await step("trying the packages", pnpm("run", "package:check"), 900_000)
console.log(checked.slice(checked.indexOf("\n| ")).trimEnd())
for (const { name } of released) {
  await step(`npm publish --dry-run ${name}`, pnpm("--filter", name, "publish", "--dry-run", "--no-git-checks"))
}

if (git("status", "--porcelain") !== before) {
  console.error("this tree has changed meanwhile")
  process.exit(1)
}
const rows = released.map(({ name, version }, index) => [name, old[index]!.version, version])
console.log(`\n${table(["package", "now", "released as"], rows)}\n\nNothing was published.`)
