/**
 * Calls under which machines died, and of which one more death would make poison: they run one at a time, so that none is blamed for what another does.
 *
 * ```
 * lost ──▶ waiting ──▶ on trial ──▶ settled, or lost once more
 * ```
 */
import type { FutureCell } from "./FutureCell.ts"

export class Suspects {
  readonly #release: (cell: FutureCell) => void
  readonly #waiting: Array<FutureCell> = []
  /** The one that is in the queue, or runs. */
  #onTrial: FutureCell | undefined

  /** `release` puts a call back into the queue. */
  constructor(release: (cell: FutureCell) => void) {
    this.#release = release
  }

  add(cell: FutureCell): void {
    this.#waiting.push(cell)
    this.#next()
  }

  /** Takes a call out that waits here. Answers `false` when it does not. */
  remove(cell: FutureCell): boolean {
    const at = this.#waiting.indexOf(cell)
    if (at >= 0) this.#waiting.splice(at, 1)
    return at >= 0
  }

  drain(): Array<FutureCell> {
    return this.#waiting.splice(0)
  }

  #next(): void {
    if (this.#onTrial !== undefined) return
    const cell = this.#onTrial = this.#waiting.shift()
    if (cell === undefined) return
    cell.observe(() => {
      this.#onTrial = undefined
      this.#next()
    })
    this.#release(cell)
  }
}
