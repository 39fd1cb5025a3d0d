/** Calls `onProgress` of a map. */
import { describe } from "../ExecutorError.ts"
import type { MapProgress } from "./mapOptions.ts"

export class MapReport {
  readonly #report: (progress: MapProgress) => void
  #done = 0
  #failed = 0

  constructor(report: (progress: MapProgress) => void) {
    this.#report = report
  }

  /** That many more items are done, and that many of these failed. */
  progressed(done: number, failed: number, pulled: number, total: number | undefined): void {
    this.#done += done
    this.#failed += failed
    try {
      this.#report({ pulled, done: this.#done, failed: this.#failed, total })
    } catch (error) {
      process.emitWarning(`onProgress threw: ${describe(error)}`, "FuturesWarning")
    }
  }
}
