/**
 * How task modules are named between machines: by their path below the code root and the hash of their text, so that an engine with other code refuses
 * instead of running it. Loaded by workers: it imports nothing else of this package.
 */
import { TaskNotFoundError } from "@futures/core"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { isAbsolute, join, relative, sep } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"

const SCHEME = "futures:"
/** In place of the hash of a file that is not there. */
const ABSENT = "absent"

const hashOf = (path: string): string => {
  try {
    return createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 16)
  } catch {
    return ABSENT
  }
}

/** From a module's URL to `futures:<hash>/<path below the root>`. What is no file below the root stays as it is. */
export const locator = (root: string): (module: string) => string => {
  const known = new Map<string, string>()
  return (module) => {
    if (!module.startsWith("file:")) return module
    let located = known.get(module)
    if (located === undefined) {
      const url = new URL(module)
      const path = fileURLToPath(url)
      const below = relative(root, path)
      located = below.startsWith("..") || isAbsolute(below)
        ? module
        : `${SCHEME}${hashOf(path)}/${below.split(sep).map(encodeURIComponent).join("/")}${url.search}`
      known.set(module, located)
    }
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
}

/** From what `locator` made to the URL of the module here. Throws `TaskNotFoundError` for other code, and for code that this engine does not load. */
export const resolver = ({ engine, root, textModules }: CodeOptions): (module: string, task: string) => string => {
  const refuse = (module: string, task: string, why: string): never => {
    const message = `Engine ${engine} does not run ${JSON.stringify(task)} of ${module}: ${why}`
    throw new TaskNotFoundError({ module, task, message, cause: new Error(why) })
  }
  return (module, task) => {
    if (module.startsWith("node:") || (textModules && module.startsWith("data:"))) return module
    if (module.startsWith("data:")) return refuse(module, task, "modules given as text are not loaded here")
    if (!module.startsWith(SCHEME)) return refuse(module, task, `it is not a file below the caller's code root`)
    const slash = module.indexOf("/")
    const hash = module.slice(SCHEME.length, slash)
    const [path, search] = module.slice(slash + 1).split("?") as [string, string?]
    const file = join(root, ...path.split("/").map(decodeURIComponent))
    if (relative(root, file).startsWith("..")) return refuse(module, task, `it lies outside of the code root ${root}`)
    const here = hashOf(file)
    const url = `${pathToFileURL(file).href}${search === undefined ? "" : `?${search}`}`
    if (here === hash) return url
    return refuse(url, task, `its code differs: the caller has version ${hash}, this engine ${here} (${file})`)
  }
}
