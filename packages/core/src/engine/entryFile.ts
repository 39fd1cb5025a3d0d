/** The file that starts the program. */
import { realpathSync } from "node:fs"
import { pathToFileURL } from "node:url"

/** Its URL; `undefined` for a program that has none, such as `node -e`. */
export const entryFile = (): string | undefined => {
  const [, path] = process.argv
  if (path === undefined) return undefined
  try {
    return pathToFileURL(realpathSync(path)).href
  } catch {
    return undefined
  }
}
