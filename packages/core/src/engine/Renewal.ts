/** Replacing all workers on demand: each finishes what it has and ends; others take their place when there is work. */
import type { Engine, Supervisor } from "./Engine.ts"
import type { Lane } from "./Lane.ts"

export class Renewal {
  readonly #engine: Engine
  readonly #supervisor: Supervisor
  /** Workers that are being replaced, each until it is gone. */
  readonly #leaving = new Map<Lane, PromiseWithResolvers<void>>()

  constructor(engine: Engine, supervisor: Supervisor) {
    this.#engine = engine
    this.#supervisor = supervisor
  }

  /** Whether somebody waits for workers to end. */
  get isWanted(): boolean {
    return this.#leaving.size > 0
  }

  /** Resolves when all workers that are there now are gone. Calls that are submitted from now on run on others. */
  async renew(): Promise<void> {
    const gone: Array<Promise<void>> = []
    for (const lane of this.#engine.lanes) {
      if (lane.state !== "starting" && lane.state !== "ready") continue
      let leaving = this.#leaving.get(lane)
      if (leaving === undefined) this.#leaving.set(lane, leaving = Promise.withResolvers())
      gone.push(leaving.promise)
      lane.retire()
      if (lane.idle && lane.state === "ready") void this.#supervisor.retire(lane)
    }
    if (gone.length === 0) return
    this.#engine.alive.hold()
    await Promise.all(gone)
    this.#engine.rest()
  }

  /** A worker has ended, or is given up. */
  gone(lane: Lane): void {
    this.#leaving.get(lane)?.resolve()
    this.#leaving.delete(lane)
  }
}
