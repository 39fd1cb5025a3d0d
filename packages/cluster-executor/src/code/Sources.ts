/**
 * Versions of source files: a hash of a file and of all that it imports by relative path, on and on.
 *
 * ```
 * unread ──▶ read ──▶ loaded        read anew when its time or its length is another
 *                                   loaded: this process runs it, and goes on with it, whatever becomes of the file
 * ```
 */
import { createHash } from "node:crypto"
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs"
import { dirname, relative, resolve, sep } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { importsOf } from "./imports.ts"

interface Source {
  readonly mtimeMs: number
  readonly size: number
  readonly digest: string
  readonly imports: ReadonlyArray<string>
  isLoaded: boolean
}

/** A module with what it imports. */
export interface Version {
  readonly hash: string
  /** The module first. */
  readonly files: ReadonlyArray<string>
  /** Whether this process has loaded some of it: the files may be other ones by now. */
  readonly isLoaded: boolean
  /** Whether there is such a file. */
  readonly isThere: boolean
}

/** What stands for a file that is not there. */
const ABSENT: Source = { mtimeMs: 0, size: 0, digest: "absent", imports: [], isLoaded: false }

export class Sources {
  readonly #files = new Map<string, Source>()

  /** Of the file with this path, with symbolic links followed, as modules are. */
  version(path: string): Version {
    const files = new Set([real(path)])
    const [entry] = files as unknown as [string]
    const hash = createHash("sha256")
    let isLoaded = false
    // A set goes on with what is added meanwhile.
    for (const file of files) {
      const source = this.#read(file)
      isLoaded ||= source.isLoaded
      hash.update(`${relative(dirname(entry), file).split(sep).join("/")}\0${source.digest}\n`)
      for (const each of source.imports) files.add(each)
    }
    const isThere = this.#read(entry) !== ABSENT
    return { hash: hash.digest("hex").slice(0, 16), files: [...files], isLoaded, isThere }
  }

  /** From now on this process runs them as they were read. */
  load({ files }: Version): void {
    for (const file of files) {
      const source = this.#files.get(file)
      if (source !== undefined) source.isLoaded = true
    }
  }

  #read(path: string): Source {
    const known = this.#files.get(path)
    if (known?.isLoaded === true) return known
    const found = statSync(path, { throwIfNoEntry: false })
    if (found?.isFile() !== true) return ABSENT
    const { mtimeMs, size } = found
    if (known?.mtimeMs === mtimeMs && known.size === size) return known
    const bytes = readFileSync(path)
    const source: Source = {
      mtimeMs,
      size,
      digest: createHash("sha256").update(bytes).digest("hex"),
      imports: importsOf(path, bytes.toString()).map((specifier) => resolveRelative(path, specifier)),
      isLoaded: false
    }
    this.#files.set(path, source)
    return source
  }
}

/** With symbolic links followed; itself when it is not there. */
export const real = (path: string): string => {
  try {
    return realpathSync.native(path)
  } catch {
    return resolve(path)
  }
}

/** As Node finds it, and what runs TypeScript without a build (tsx): `./x.js` may be `x.ts`, `./x` may be `x.ts` or `x/index.ts`. */
const resolveRelative = (from: string, specifier: string): string => {
  const url = new URL(specifier, pathToFileURL(from)).href.replace(/[?#].*$/, "")
  // Node does not load it, and says so.
  if (/%2f|%5c/i.test(url)) return resolve(dirname(from), specifier)
  const path = fileURLToPath(url)
  const others = [
    path,
    path.replace(/\.([cm]?)js(x?)$/, ".$1ts$2"),
    ...[".ts", ".tsx", ".js", ".mts", ".mjs", "/index.ts", "/index.js"].map((end) => path + end)
  ]
  return real(others.find((each) => existsSync(each) && statSync(each).isFile()) ?? path)
}
