/** What commands print: lines for people, or one JSON value a line for programs. */

/** A command that cannot do what it was asked to, said in words for people: printed as they are, with exit code 1. */
export class CommandError extends Error {
  readonly _tag = "CommandError"
}

export interface Output {
  /** What happened: `text` for people, `event` with `data` for programs. */
  readonly tell: (event: string, text: string, data?: object) => void
}

export const outputOf = (json: boolean): Output => ({
  tell: (event, text, data = {}) => {
    process.stdout.write(json ? `${JSON.stringify({ event, ...data })}\n` : `${text}\n`)
  }
})

/** Columns as wide as their widest cell, two spaces apart. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd()).join("\n")
}
