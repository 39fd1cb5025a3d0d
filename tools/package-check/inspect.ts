/** What a tarball says of itself, and what comes with it. */
import { globSync, mkdirSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { command } from "./command.ts"
import type { Manifest, Packed } from "./pack.ts"
import type { Verdict } from "./tryOut.ts"

export interface Inspection {
  readonly name: string
  /** Bytes of the tarball, and of all that an install of it brings. */
  readonly tarball: number
  readonly installed: number
  /** Packages that an install brings, itself among them. */
  readonly dependencies: number
  readonly publint: Verdict
  /** Whether the types resolve wherever ESM does (`attw`). */
  readonly attw: Verdict
  readonly complaints: ReadonlyArray<string>
}

const tools = new URL("../node_modules/.bin/", import.meta.url).pathname

/** What every package of ours has to say. */
const missing = (
  { description, dependencies = {}, engines, files, license, peerDependencies, publishConfig, sideEffects, type }:
    Manifest
) => {
  const said: Readonly<Record<string, boolean>> = {
    description: typeof description === "string" && description !== "",
    license: license === "MIT",
    "type: module": type === "module",
    engines: (engines as { node?: string } | undefined)?.node === ">=22.19",
    files: Array.isArray(files) && files.includes("dist"),
    sideEffects: sideEffects !== undefined,
    "effect as a peer": (peerDependencies as { effect?: string } | undefined)?.effect?.startsWith("^4.") === true,
    "ranges without workspace: or catalog:": !/workspace:|catalog:/.test(
      JSON.stringify([dependencies, peerDependencies])
    ),
    "public access and provenance": JSON.stringify(publishConfig) === `{"access":"public","provenance":true}`
  }
  return Object.entries(said).filter(([, isSaid]) => !isSaid).map(([what]) => `package.json: ${what}`)
}

export const inspect = async (
  folder: string,
  registry: string,
  { file, manifest, name }: Packed
): Promise<Inspection> => {
  const project = join(folder, `only-${name.slice("@futures/".length)}`)
  mkdirSync(project)
  writeFileSync(join(project, ".npmrc"), `@futures:registry=${registry}\n`)
  writeFileSync(join(project, "package.json"), "{}")
  const complaints = missing(manifest)
  const step = async (...words: Parameters<typeof command>[0]): Promise<Verdict> => {
    const { ok, output } = await command(words, { cwd: project })
    if (!ok) complaints.push(`$ ${words.join(" ")}\n${output}`)
    return ok ? "ok" : "failed"
  }
  await step("npm", "install", "--no-audit", "--no-fund", "--strict-peer-deps", name)
  const installed = globSync("node_modules/**/*", { cwd: project }).map((path) => statSync(join(project, path)))
  const lock = await command(["npm", "ls", "--all", "--parseable"], { cwd: project })
  return {
    name,
    tarball: statSync(file).size,
    installed: installed.filter((found) => found.isFile()).reduce((sum, { size }) => sum + size, 0),
    dependencies: lock.stdout.trim().split("\n").length - 1,
    publint: await step(join(tools, "publint"), "run", file, "--strict"),
    attw: await step(join(tools, "attw"), file, "--profile", "esm-only"),
    complaints
  }
}
