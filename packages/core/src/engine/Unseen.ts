/** Failed calls that nobody ever looked at: named in one warning when the executor ends. They never crash the process. */
import { withoutOwnFrames } from "../wire/ownFrames.ts"
import type { FutureCell } from "./FutureCell.ts"

/** So many are kept to be named; of the others only the number. */
const NAMED = 10

export class Unseen {
  /** Whoever looks at one takes it away: nothing is held that was seen. */
  readonly #cells = new Set<FutureCell>()
  #more = 0

  note(cell: FutureCell): void {
    if (cell.watched) return
    if (this.#cells.size < NAMED) this.#cells.add(cell)
    else this.#more++
  }

  /** Somebody looks at it after all. */
  forget(cell: FutureCell): void {
    this.#cells.delete(cell)
  }

  warn(executor: string): void {
    if (this.#cells.size === 0) return
    const named = Array.from(
      this.#cells,
      (cell) => `  ${cell.info.label} (call ${cell.id}): ${String(cell.failure.build(cell.label))}${submittedAt(cell)}`
    )
    const more = this.#more > 0 ? `\n  and up to ${this.#more} more` : ""
    const count = `${this.#cells.size}${this.#more > 0 ? " or more" : ""}`
    process.emitWarning(
      `${count} failed ${count === "1" ? "call" : "calls"} of executor "${executor}" ${
        count === "1" ? "was" : "were"
      } never handled:\n${named.join("\n")}${more}`,
      "FuturesWarning"
    )
  }
}

/** The line that submitted the call, where the option `stacks` is `"submit"`: to note it costs some microseconds a call. */
const submittedAt = ({ form: { site } }: FutureCell): string => {
  if (site?.stack === undefined) return ""
  const line = withoutOwnFrames(site.stack).split("\n").find((each) => /^\s+at /.test(each))
  return line === undefined ? "" : `\n    submitted ${line.trim()}`
}
