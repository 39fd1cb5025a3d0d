/**
 * Stopping a call that runs: first by asking, then by force.
 *
 * ```
 * asked ──▶ stopped                                 the task cleaned up and came back within `grace`
 * asked ──▶ forced ──▶ stopped                      its worker was ended
 * asked ──▶ forced ──▶ unkillable                   the worker did not end within two seconds: Node cannot stop every thread
 * ```
 *
 * The call settles when its work has stopped, not when it is asked to: a cancelled call no longer runs. How it settles is said by whoever asked first.
 */
import { LONGEST_DELAY } from "../duration.ts"
import { WorkerLostError } from "../ExecutorError.ts"
import { State } from "./Call.ts"
import type { Engine } from "./Engine.ts"
import { ours } from "./Failure.ts"
import type { Failure } from "./Failure.ts"
import type { FutureCell } from "./FutureCell.ts"
import type { Lane } from "./Lane.ts"

/** How a call ends once it has stopped. */
export interface Ending {
  readonly state: 3 | 4
  readonly failure: Failure
}

interface Stop extends Ending {
  readonly outcome: Promise<boolean>
  readonly resolve: (stopped: boolean) => void
  timer: NodeJS.Timeout | undefined
}

/** How long a worker that was killed may take to be gone, in milliseconds. */
export const UNKILLABLE_AFTER = 2_000

export class StopLadder {
  /** Calls that were asked to stop. */
  readonly #stops = new Map<FutureCell, Stop>()
  /** Run clocks of calls that have one. */
  readonly #clocks = new Map<FutureCell, NodeJS.Timeout>()
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Starts a call's run clock. */
  limit(cell: FutureCell, after: number, failure: Failure): void {
    if (after > LONGEST_DELAY) return
    const timer = setTimeout(() => void this.stop(cell, State.Failed, failure, undefined), after)
    // A later attempt starts its own clock.
    clearTimeout(this.#clocks.get(cell))
    if (!this.#clocks.has(cell)) cell.observe(() => this.unlimit(cell))
    this.#clocks.set(cell, timer)
  }

  /** Asks a running call to stop, and sees to it. Answers once the work has stopped, or cannot be stopped (`false`). */
  stop(cell: FutureCell, state: 3 | 4, failure: Failure, grace: number | undefined): Promise<boolean> {
    const asked = this.#stops.get(cell)
    if (asked !== undefined) return asked.outcome
    const lane = cell.lane
    if (lane === undefined) return Promise.resolve(false)
    const { promise: outcome, resolve } = Promise.withResolvers<boolean>()
    const patience = grace ?? this.#engine.options.grace
    const forced = patience <= LONGEST_DELAY && this.#engine.backend.remote !== true
    const timer = forced ? setTimeout(() => this.#force(cell), patience) : undefined
    this.#stops.set(cell, { state, failure, outcome, resolve, timer })
    lane.interrupt(cell, grace)
    return outcome
  }

  /** The call's work has stopped: how is it to end? `undefined` when nobody asked it to stop. */
  stopped(cell: FutureCell): Ending | undefined {
    const stop = this.#stops.get(cell)
    if (stop === undefined) return undefined
    clearTimeout(stop.timer)
    clearTimeout(this.#clocks.get(cell))
    this.#stops.delete(cell)
    // After it has settled, so that whoever waits for the stop finds the future done.
    queueMicrotask(() => stop.resolve(true))
    return stop
  }

  #force(cell: FutureCell): void {
    const stop = this.#stops.get(cell)
    const lane = cell.lane
    if (stop === undefined || lane === undefined) return
    stop.timer = setTimeout(() => this.#unkillable(lane), UNKILLABLE_AFTER)
    lane.kill()
  }

  /** The worker is not gone in time. Every call in its hands is lost with it, whoever was asked to stop. */
  #unkillable(lane: Lane): void {
    const workerId = lane.workerId!
    const failure = ours(() => new WorkerLostError({ workerId, reason: "unkillable" }))
    for (const cell of lane.calls()) {
      const stop = this.#stops.get(cell)
      this.#stops.delete(cell)
      this.#engine.settle(cell, State.Failed, failure)
      clearTimeout(stop?.timer)
      stop?.resolve(false)
    }
    lane.release()
    this.#engine.losses.abandoned(lane)
    // What waits needs another worker.
    this.#engine.pump()
  }

  /** An attempt is over: its run clock with it. */
  unlimit(cell: FutureCell): void {
    clearTimeout(this.#clocks.get(cell))
    this.#clocks.delete(cell)
  }
}
