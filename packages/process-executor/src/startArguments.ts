/** What a parent passes to its child on the command line, before the arguments of the option `argv`. */

/** What a child knows of its start. */
export interface StartArguments {
  /** Its title in lists of processes. */
  readonly name: string | undefined
  /** Whether descriptor 5 is a file for marks. */
  readonly hasMarker: boolean
  /** Whether descriptor 6 is a file for the report of a fatal error. */
  readonly hasReport: boolean
  /** The process that it has to watch, where no watchdog does. */
  readonly parent: number | undefined
  /** How long it may take to exit once the parent is gone, in milliseconds. */
  readonly exitTimeoutMs: number
}

/** So many arguments, always: those behind belong to the user. */
const COUNT = 3

export const argumentsOf = (
  { exitTimeoutMs, hasMarker, hasReport, name, parent }: StartArguments
): ReadonlyArray<string> => [
  name ?? "",
  [hasMarker ? "marks" : "", hasReport ? "report" : ""].filter((word) => word !== "").join("+"),
  parent === undefined ? "" : `${parent}/${exitTimeoutMs}`
]

/** Reads them, and removes them from `argv`, so that tasks see their own only. */
export const takeStartArguments = (argv: Array<string>): StartArguments => {
  const [name = "", files = "", watch = ""] = argv.splice(2, COUNT)
  const [parent, exitTimeoutMs] = watch.split("/")
  return {
    name: name === "" ? undefined : name,
    hasMarker: files.includes("marks"),
    hasReport: files.includes("report"),
    parent: parent === "" ? undefined : Number(parent),
    exitTimeoutMs: Number(exitTimeoutMs ?? 0)
  }
}
