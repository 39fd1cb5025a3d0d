/** Pages as a project of their own, outside of the repository: a folder for each page, with what a reader would have installed. */
import { execFile } from "node:child_process"
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { moduleOf } from "./programs.ts"
import type { Program } from "./programs.ts"

export const root = new URL("../../..", import.meta.url).pathname

/** Every package of ours, and all that examples, comparisons and tests use. */
const linkPackages = (folder: string): void => {
  const link = (name: string, target: string): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    symlinkSync(target, join(folder, name))
  }
  const linked = new Set<string>()
  for (const manifest of globSync("packages/*/package.json", { cwd: root })) {
    const { name } = JSON.parse(readFileSync(join(root, manifest), "utf8")) as { readonly name: string }
    link(name, join(root, dirname(manifest)))
    linked.add(name)
  }
  for (const workspace of ["examples", "benchmarks", "packages/testkit", "."]) {
    const installed = join(root, workspace, "node_modules")
    for (const name of globSync(["[!@.]*", "@*/*"], { cwd: installed })) {
      if (linked.has(name)) continue
      link(name, join(installed, name))
      linked.add(name)
    }
  }
}

export interface Project {
  readonly folder: string
  readonly remove: () => void
}

export const makeProject = (pages: ReadonlyMap<string, ReadonlyArray<Program>>): Project => {
  const folder = mkdtempSync(join(tmpdir(), "futures-pages-"))
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  linkPackages(join(folder, "node_modules"))
  write("package.json", `{ "type": "module" }`)
  const options = {
    rootDir: "/",
    allowJs: true,
    incremental: false,
    tsBuildInfoFile: null,
    noUnusedLocals: false,
    noUnusedParameters: false
  }
  write(
    "tsconfig.json",
    JSON.stringify({
      extends: join(root, "tsconfig.test.json"),
      compilerOptions: options,
      include: ["**/*"],
      references: []
    })
  )
  for (const [page, programs] of pages) {
    for (const program of programs) write(join(page, program.name), moduleOf(program))
  }
  return { folder, remove: () => rmSync(folder, { recursive: true }) }
}

/** What the compiler says, line by line: `docs/errors.md/main.ts(61,3): error ...`, where 61 is the line of the page. */
export const typeErrors = async ({ folder }: Project): Promise<ReadonlyArray<string>> => {
  const compiled = promisify(execFile)(join(root, "node_modules/.bin/tsc"), ["-p", "."], { cwd: folder })
  const text = await compiled.then(() => "", (error: { readonly stdout: string }) => error.stdout)
  return text.split("\n").filter((line) => line !== "")
}
