/**
 * The JavaScript of the packages that every worker loads, into their `dist`: few files, because a worker's start is mostly the loading of modules. What
 * workers need at once is one file, shared by all who import it, so that there is one of each class and of each registry. Types come from `tsc`.
 */
import { globSync, readFileSync, rmSync } from "node:fs"
import { basename, join } from "node:path"
import { rolldown } from "rolldown"
import type { RolldownOutput } from "rolldown"

const packages = new URL("../../packages", import.meta.url).pathname

/** The packages; what each loads late, by its path, which therefore stays a file; and which entries make a worker. */
const built: Readonly<
  Record<string, { readonly late: ReadonlyArray<string>; readonly worker: ReadonlyArray<string> }>
> = {
  core: { late: ["nestedExecutor", "schemaCodec", "taskSource"], worker: ["Worker", "worker-index"] },
  "process-executor": { late: ["orphan"], worker: [] },
  "thread-executor": { late: [], worker: [] }
}

type Target = string | null | { readonly [condition: string]: Target }

/** The files that conditions lead to. */
const filesOf = (target: Target): ReadonlyArray<string> =>
  typeof target === "string" ? [target] : target === null ? [] : Object.values(target).flatMap(filesOf)

/** Names of the modules that are imported from outside. */
const entriesOf = (folder: string): ReadonlyArray<string> => {
  const { publishConfig } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    readonly publishConfig: { readonly exports: { readonly [path: string]: Target } }
  }
  return filesOf(publishConfig.exports).filter((file) => file.endsWith(".js")).map((file) => basename(file, ".js"))
}

const open = (folder: string, entries: ReadonlyArray<string>) =>
  rolldown({
    input: Object.fromEntries(entries.map((name) => [name, join(folder, "src", `${name}.ts`)])),
    external: /^[^./]/,
    platform: "node",
    transform: { target: "es2024" }
  })

const chunksOf = ({ output }: RolldownOutput) => output.filter((file) => file.type === "chunk")

/** The modules behind these entries that are loaded with them, the entries themselves left out. */
const loadedWith = async (folder: string, entries: ReadonlyArray<string>): Promise<ReadonlySet<string>> => {
  await using bundle = await open(folder, entries)
  const chunks = chunksOf(await bundle.generate({ format: "esm" }))
  const late = (file: string): boolean => chunks.some(({ dynamicImports }) => dynamicImports.includes(file))
  const modules = chunks.filter(({ fileName }) => !late(fileName)).flatMap(({ moduleIds }) => moduleIds)
  return new Set(modules.filter((id) => !entries.some((name) => id === join(folder, "src", `${name}.ts`))))
}

for (const [name, { late, worker }] of Object.entries(built)) {
  const folder = join(packages, name)
  const dist = join(folder, "dist")
  const together = worker.length === 0 ? new Set<string>() : await loadedWith(folder, worker)
  await using bundle = await open(folder, [...entriesOf(folder), ...late])
  const { output } = await bundle.write({
    dir: dist,
    format: "esm",
    sourcemap: true,
    comments: false,
    entryFileNames: "[name].js",
    // One folder deep, as are the modules of `src` that open a late one by its path.
    chunkFileNames: "shared/[name].js",
    codeSplitting: { groups: [{ name: "worker", test: (id: string) => together.has(id) }] }
  })
  const written = new Set(output.map(({ fileName }) => fileName))
  for (const file of globSync("**/*.js{,.map}", { cwd: dist })) if (!written.has(file)) rmSync(join(dist, file))
}
