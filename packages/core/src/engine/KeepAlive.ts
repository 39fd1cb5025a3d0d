/** Holds the process while it is held, by a timer that never fires. */
import { LONGEST_DELAY } from "../duration.ts"
import { clearInterval, setInterval } from "../timers.ts"
import { outside } from "./asyncContext.ts"

export class KeepAlive {
  #timer: NodeJS.Timeout | undefined
  #over = false

  hold(): void {
    if (this.#over) return
    if (this.#timer === undefined) this.#timer = outside(() => setInterval(() => {}, LONGEST_DELAY))
    else this.#timer.ref()
  }

  release(): void {
    this.#timer?.unref()
  }

  /** It never holds the process again. */
  end(): void {
    this.#over = true
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
