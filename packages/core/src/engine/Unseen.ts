/** Failed calls that nobody ever looked at: named in one warning when the executor ends. They never crash the process. */
import type { FutureCell } from "./FutureCell.ts"

/** So many are kept to be named; of the others only the number. */
const NAMED = 10

export class Unseen {
  readonly #cells: Array<FutureCell> = []
  #more = 0

  note(cell: FutureCell): void {
    if (cell.watched) return
    if (this.#cells.length >= NAMED) this.#forgetSeen()
    if (this.#cells.length < NAMED) this.#cells.push(cell)
    else this.#more++
  }

  warn(executor: string): void {
    this.#forgetSeen()
    if (this.#cells.length === 0) return
    const named = this.#cells.map((cell) => `  ${cell.info.label} (call ${cell.id}): ${String(cell.failure.build())}`)
    const more = this.#more > 0 ? `\n  and up to ${this.#more} more` : ""
    const count = `${this.#cells.length}${this.#more > 0 ? " or more" : ""}`
    process.emitWarning(
      `${count} failed calls of executor "${executor}" were never looked at:\n${named.join("\n")}${more}`,
      "FuturesWarning"
    )
  }

  #forgetSeen(): void {
    const unseen = this.#cells.filter((cell) => !cell.watched)
    this.#cells.splice(0, this.#cells.length, ...unseen)
  }
}
