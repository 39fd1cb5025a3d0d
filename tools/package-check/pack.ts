/** From the sources to the tarballs that would be published. */
import { globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { command } from "./command.ts"

const root = new URL("../..", import.meta.url).pathname

/** A package.json. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly [field: string]: unknown
}

export interface Packed {
  readonly name: string
  readonly version: string
  /** The tarball. */
  readonly file: string
  /** As published. */
  readonly manifest: Manifest
}

const orThrow = async (...[words, options]: Parameters<typeof command>): Promise<string> => {
  const ended = await command(words, options)
  if (!ended.ok) throw new Error(`${words.join(" ")}\n${ended.output}`)
  return ended.stdout
}

/** Builds the packages of the repository and packs those that are published. */
export const packAll = async (folder: string): Promise<ReadonlyArray<Packed>> => {
  await orThrow(["npx", "-y", "pnpm@12", "build"], { cwd: root, timeout: 300_000 })
  const packages: Array<Packed> = []
  for (const path of globSync("packages/*/package.json", { cwd: root }).toSorted()) {
    const { private: isPrivate } = JSON.parse(readFileSync(join(root, path), "utf8")) as Manifest
    if (isPrivate === true) continue
    const said = await orThrow(["npx", "-y", "pnpm@12", "pack", "--json", "--pack-destination", folder], {
      cwd: join(root, dirname(path))
    })
    const { filename, name, version } = JSON.parse(said) as { filename: string; name: string; version: string }
    const manifest = await orThrow(["tar", "-xzOf", filename, "package/package.json"], { cwd: folder })
    packages.push({ name, version, file: filename, manifest: JSON.parse(manifest) as Manifest })
  }
  return packages
}
