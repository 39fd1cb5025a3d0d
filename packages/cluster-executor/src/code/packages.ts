/** Modules of packages that are installed: known by the name and the version of the package, wherever it lies. */
import { readFileSync } from "node:fs"
import { dirname, join, relative, sep } from "node:path"

export interface PackageModule {
  /** As it is imported. */
  readonly name: string
  readonly version: string
  /** The package's folder. */
  readonly folder: string
  /** The module's path in it, with `/`. */
  readonly path: string
}

/** `undefined` for a file that is in no package's folder below a `node_modules`. */
export const packageModule = (file: string): PackageModule | undefined => {
  const parts = file.split(sep)
  const at = parts.lastIndexOf("node_modules") + 1
  if (at === 0) return undefined
  const name = parts.slice(at, parts[at]?.startsWith("@") === true ? at + 2 : at + 1).join("/")
  const folder = [...parts.slice(0, at), ...name.split("/")].join(sep)
  const version = versionOf(folder)
  return version === undefined
    ? undefined
    : { name, version, folder, path: relative(folder, file).split(sep).join("/") }
}

/** Names come from whoever may submit: none leads out of a `node_modules`. */
export const isPackageName = (name: string): boolean => /^(?:@[\w-][\w.-]*\/)?[\w-][\w.-]*$/.test(name)

/** What its `package.json` says; `undefined` when there is no such package. */
export const versionOf = (folder: string): string | undefined => {
  try {
    return String(JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version)
  } catch {
    return undefined
  }
}

/** Where modules in a folder would find a package, the nearest first. */
export const foldersOf = (name: string, from: string): Array<string> => {
  const folders = [join(from, "node_modules", name)]
  for (let at = from; dirname(at) !== at; at = dirname(at)) folders.push(join(dirname(at), "node_modules", name))
  return folders
}
