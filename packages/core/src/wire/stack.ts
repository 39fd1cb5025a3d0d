import { withoutOwnFrames } from "./ownFrames.ts"

/**
 * The lines that await the place where an error was made, as its stack ends with them: V8 knows who awaits the reaction
 * that runs, and says so for nothing but the time that it takes to write the stack down. Empty, or begins with a line
 * break.
 */
export const awaitingLines = (made: object): string => {
  const lines = allAwaitingLines(made)
  return lines === "" ? "" : withoutOwnFrames(lines)
}

const allAwaitingLines = (made: object): string => {
  const format = Error.prepareStackTrace
  try {
    if (format === undefined) return from((made as Error).stack, "\n    at async ")
    // Who writes the stacks (Vitest, source-map-support) may leave out the word `async`, so the sites are asked.
    let lines = ""
    Error.prepareStackTrace = (error, sites) => {
      const first = sites.findIndex((site) => (site as { isAsync?: () => boolean }).isAsync?.())
      if (first !== -1) lines = String(format(error, sites.slice(first)))
      return ""
    }
    void (made as Error).stack
    return from(lines, "\n    at ")
  } catch {
    return ""
  } finally {
    if (format !== undefined) Error.prepareStackTrace = format
  }
}

const from = (stack: unknown, start: string): string => {
  const at = typeof stack === "string" ? stack.indexOf(start) : -1
  return at === -1 ? "" : (stack as string).slice(at)
}
