/**
 * How task modules are named between machines, so that an engine with other code refuses instead of running it. Loaded by workers: of this package it
 * imports only what lies in `code/`.
 *
 * ```
 * futures:<version>/<path below the root>                    a file; its version is a hash of it and of what it imports by relative path
 * futures-package:<name>@<version>:<path in it>?<folder>     a module of an installed package, and where the caller has that below the root
 * node:<name>                                                a module of Node
 * ```
 */
import { TaskNotFoundError } from "@futures/core"
import { isAbsolute, join, relative, sep } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { foldersOf, isPackageName, packageModule, versionOf } from "./code/packages.ts"
import { real, Sources } from "./code/Sources.ts"

const FILE = "futures:"
const PACKAGE = "futures-package:"

/** Of this process: each file is read once. */
const sources = new Sources()

const isOutside = (below: string): boolean => below === ".." || below.startsWith(`..${sep}`) || isAbsolute(below)

const encodePath = (path: string): string => path.split(sep).map(encodeURIComponent).join("/")
const decodePath = (path: string): string => path.split("/").map(decodeURIComponent).join(sep)

/**
 * Maps a module's URL to the id sent to engines. A file that lies neither below the root, nor below the other one, nor in a package keeps its
 * URL.
 */
export const locator = (root: string, otherRoot = root): (module: string) => string => {
  const tops = [root, otherRoot].map(real) as [string, string]
  const known = new Map<string, string>()
  const locate = (module: string): string => {
    const url = new URL(module)
    const file = real(fileURLToPath(url))
    const installed = packageModule(file)
    if (installed !== undefined) {
      const { folder, name, path, version } = installed
      const below = relative(tops[0], folder)
      return `${PACKAGE}${name}@${version}:${encodePath(path)}?${isOutside(below) ? "" : encodePath(below)}`
    }
    const below = tops.map((top) => relative(top, file)).find((path) => !isOutside(path)) ?? ".."
    return isOutside(below) ? module : `${FILE}${sources.version(file).hash}/${encodePath(below)}${url.search}`
  }
  return (module) => {
    if (!module.startsWith("file:")) return module
    let located = known.get(module)
    if (located === undefined) known.set(module, located = locate(module))
    return located
  }
}

/** What a worker may load. */
export interface CodeOptions {
  readonly root: string
  /** Whether modules may be given as text (`data:` URLs). */
  readonly textModules: boolean
  /** The engine, for errors. */
  readonly engine: string
  /** The caller's root, for errors; `undefined` when it is not known. */
  readonly callerRoot?: string | undefined
}

/** From what `locator` made to the URL of the module here. Throws `TaskNotFoundError` for other code, and for code that this engine does not load. */
export const resolver = (options: CodeOptions): (module: string, task: string) => string => {
  const { callerRoot, engine, textModules } = options
  const theirs = callerRoot === undefined ? "the caller's code root" : `the caller's code root ${callerRoot}`
  const root = real(options.root)
  const known = new Map<string, string>()
  return (module, task) => {
    if (module.startsWith("node:") || (textModules && module.startsWith("data:"))) return module
    const here = known.get(module)
    if (here !== undefined) return here
    const refuse = (why: string, named = module): never => {
      const message = `Engine ${engine} does not run ${JSON.stringify(task)} of ${named}: ${why}`
      throw new TaskNotFoundError({ module: named, task, message, cause: new Error(why) })
    }
    const url = module.startsWith(FILE)
      ? fileHere(root, module.slice(FILE.length), theirs, refuse)
      : module.startsWith(PACKAGE)
      ? packageHere(root, module.slice(PACKAGE.length), refuse)
      : module.startsWith("data:")
      ? refuse(
        "modules given as text are not loaded here, unless the engine is started with --allow-source (textModules)"
      )
      : refuse(`it is not a file below ${theirs}: set the option root to a folder that contains it`)
    known.set(module, url)
    return url
  }
}

type Refuse = (why: string, named?: string) => never

const fileHere = (root: string, located: string, theirs: string, refuse: Refuse): string => {
  const [, hash, path, search] = /^([^/]*)\/([^?]*)(.*)$/s.exec(located) ?? refuse("it names no file")
  const below = decodePath(path!)
  const file = join(root, below)
  if (isOutside(relative(root, file))) refuse(`it lies outside of the code root ${root}`)
  const here = sources.version(file)
  const url = pathToFileURL(real(file)).href + search
  if (!here.isThere) {
    refuse(
      `this engine has no file ${below} below its code root ${root}; it lies below ${theirs}. ` +
        "Set the option root of the caller, or --root of the engine, so that both paths are the same",
      url
    )
  }
  if (here.hash !== hash) {
    const count = here.files.length - 1
    const what = count === 0 ? file : `${file} and the ${count === 1 ? "file" : `${count} files`} that it imports`
    const since = here.isLoaded ? ", as its worker has loaded them before" : ""
    refuse(
      `its code differs: the caller has version ${hash} of ${below}, this engine ${here.hash} (${what}${since})`,
      url
    )
  }
  sources.load(here)
  return url
}

const packageHere = (root: string, located: string, refuse: Refuse): string => {
  const [, name, version, path, folder] = /^(.+)@([^@:]*):([^?]*)\?(.*)$/s.exec(located) ??
    refuse("it names no package")
  if (!isPackageName(name!)) refuse("it names no package")
  // Where the caller has it, if that is there too: a package of a package is not found from the root.
  const theirs = join(root, decodePath(folder!))
  const isBelow = theirs.endsWith(join(sep, "node_modules", name!)) && !isOutside(relative(root, theirs))
  const folders = [...(isBelow ? [theirs] : []), ...foldersOf(name!, root)]
  const there = folders.find((each) => versionOf(each) === version)
  if (there === undefined) {
    const other = folders.find((each) => versionOf(each) !== undefined)
    refuse(
      other === undefined
        ? `the caller has ${name}@${version}, and this engine has no such package, from ${root} on`
        : `its code differs: the caller has ${name}@${version}, this engine ${name}@${versionOf(other)} (${other})`
    )
  }
  const file = join(there!, decodePath(path!))
  if (isOutside(relative(there!, file))) refuse(`it lies outside of the package ${name}`)
  return pathToFileURL(real(file)).href
}
