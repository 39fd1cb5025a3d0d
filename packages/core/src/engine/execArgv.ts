/** Node arguments that a worker inherits: the parent's own that apply to it, and the export condition for workers. */
import { createRequire } from "node:module"
import { join, resolve } from "node:path"
import { pathToFileURL } from "node:url"

/** Arguments that belong to the parent alone, each with whether its value may be a separate argument. */
const parentsOwn: ReadonlyArray<readonly [pattern: RegExp, separateValue: boolean]> = [
  // Under `node -e` the argument holds the whole program: a worker would run it again.
  [/^(-e|--eval|-p|--print|-pe|--input-type)$/, true],
  [/^(--eval|--print|--input-type)=/, false],
  [/^(-c|--check|-i|--interactive)$/, false],
  [/^--(inspect|inspect-brk|inspect-wait|inspect-port|debug-port)(=|$)/, false],
  [/^--(test|watch)/, false]
]

/** Makes `@futures/core` resolve, inside workers, to an entry without engine and Effect. */
const workerCondition = "--conditions=futures-worker"

export const inheritedExecArgv = (): ReadonlyArray<string> => {
  const kept: Array<string> = []
  for (let at = 0; at < process.execArgv.length; at++) {
    const argument = process.execArgv[at]!
    const own = parentsOwn.find(([pattern]) => pattern.test(argument))
    if (own === undefined) kept.push(argument)
    else if (own[1]) at++
  }
  if (!kept.includes(workerCondition)) kept.push(workerCondition)
  return kept
}

/** Arguments that name a module, which Node resolves from the working directory. */
const modules = /^(--import|--require|-r|--loader|--experimental-loader)(?:=(.*))?$/s

/** The arguments with the same meaning in another working directory: modules that they name are resolved from `directory`. */
export const resolvedFrom = (directory: string, execArgv: ReadonlyArray<string>): ReadonlyArray<string> => {
  const resolved = [...execArgv]
  for (let at = 0; at < resolved.length; at++) {
    const [, flag, attached] = modules.exec(resolved[at]!) ?? []
    if (flag === undefined) continue
    if (attached !== undefined) resolved[at] = `${flag}=${resolveModule(directory, attached, flag)}`
    else if (++at < resolved.length) resolved[at] = resolveModule(directory, resolved[at]!, flag)
  }
  return resolved
}

const resolveModule = (directory: string, specifier: string, flag: string): string => {
  const isImport = flag !== "--require" && flag !== "-r"
  if (/^\.\.?[\\/]/.test(specifier)) {
    if (!isImport) return resolve(directory, specifier)
    // An import specifier is a URL: a query stays one.
    return new URL(specifier, pathToFileURL(join(directory, "/"))).href
  }
  if (/^[a-z][a-z\d+.-]*:/i.test(specifier) || specifier.startsWith("/")) return specifier
  try {
    const path = createRequire(join(directory, "/")).resolve(specifier)
    return isImport ? pathToFileURL(path).href : path
  } catch {
    // Node reports what it cannot resolve.
    return specifier
  }
}
