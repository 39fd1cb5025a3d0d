/**
 * Node flags that a worker inherits: those of the parent that are not about the parent alone, and the export condition for workers.
 *
 * `process.execArgv` ends where the program begins, and Node accepts no separate value that begins with `-`. So an argument without a leading
 * `-` is the value of the flag before it, for every flag of every version of Node: no table of flags is needed here.
 */
import { createRequire } from "node:module"
import { join, resolve } from "node:path"
import { pathToFileURL } from "node:url"

/** A flag with its value, if that is an argument of its own: `["--title", "api"]`, `["--title=api"]`, `["--no-warnings"]`. */
export type Flag = readonly [flag: string, ...value: ReadonlyArray<string>]

/** Splits `process.execArgv`, or part of it, into flags. */
export const flagsOf = (execArgv: ReadonlyArray<string>): ReadonlyArray<Flag> => {
  const flags: Array<[string, ...Array<string>]> = []
  for (const argument of execArgv) {
    const last = flags.at(-1)
    if (last === undefined || argument.startsWith("-")) flags.push([argument])
    else last.push(argument)
  }
  return flags
}

/** The name as Node documents it: `--inspect_brk=0` is `--inspect-brk`. */
export const nameOf = ([flag]: Flag): string => {
  const name = flag.split("=", 1)[0]!
  return name.startsWith("--") ? name.replaceAll("_", "-") : name
}

/** Flags for the parent alone. */
const parentsOwn: ReadonlyArray<RegExp> = [
  // What the parent runs. Under `node -e` the value holds the whole program: a worker would run it again.
  /^(-e|--eval|-p|--print|-pe|--input-type|--entry-url|-c|--check|-i|--interactive|--run|--prof-process)$/,
  /^--(build-snapshot|build-snapshot-config|snapshot-blob|experimental-sea-config)$/,
  // A port that only one process can have.
  /^--(inspect|debug)(-|$)/,
  // Test runner and watch mode.
  /^--(experimental-)?test(-|$)/,
  /^--watch(-|$)/,
  // A name of the parent, or of a file that one process writes: profiles of workers get names of their own, in the same directory.
  /^--(title|cpu-prof-name|heap-prof-name)$/,
  // Read already. The option `env` can take a variable away, and the file would bring it back.
  /^--env-file(-if-exists)?$/
]

/** Makes `@futures/core` resolve, inside workers, to an entry without engine and Effect. */
const workerCondition = "--conditions=futures-worker"

/** Node flags for a worker: those of this process that are not about this process alone, and the export condition for workers. */
export const inheritedExecArgv = (): ReadonlyArray<string> => {
  const kept = flagsOf(process.execArgv).filter((flag) => !parentsOwn.some((own) => own.test(nameOf(flag)))).flat()
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
