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
import { TaskTimeoutError, WorkerLostError } from "../ExecutorError.ts"
import { clearTimeout, queueMicrotask, setTimeout } from "../timers.ts"
import { recordOf } from "../wire/StopReason.ts"
import { State } from "./Call.ts"
import type { Engine } from "./Engine.ts"
import { ours } from "./Failure.ts"
import type { Failure } from "./Failure.ts"
import type { FutureCell } from "./FutureCell.ts"
import type { Lane } from "./Lane.ts"
import { PatientTimer } from "./PatientTimer.ts"

/** How a call ends once it has stopped. */
export interface Ending {
  readonly state: 3 | 4
  readonly failure: Failure
}

interface Stop extends Ending {
  readonly outcome: Promise<boolean>
  readonly resolve: (stopped: boolean) => void
  /** Whether the run timeout of the caller requested it. */
  readonly isTimeout: boolean
  timer: PatientTimer | undefined
  unkillable: NodeJS.Timeout | undefined
}

/** How long a worker that was killed may take to be gone, in milliseconds. */
export const UNKILLABLE_AFTER = 2_000

/** The worker requests the stop itself when the run timeout is over; the caller does so this much later (ms). */
const WORKER_FIRST_MS = 5

export class StopLadder {
  /** Calls that were asked to stop. */
  readonly #stops = new Map<FutureCell, Stop>()
  /** Timers of calls whose module is being loaded, or whose function runs and has a timeout. */
  readonly #clocks = new Map<FutureCell, PatientTimer>()
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** A worker has begun to load the module of a call's task: `startTimeout` limits that. */
  limitLoading(cell: FutureCell): void {
    const after = this.#engine.options.startTimeout
    if (after <= LONGEST_DELAY) this.#limit(cell, after, timeoutOf("load", after), false)
  }

  /**
   * A worker has called the task's function. The worker keeps the run timeout and requests the stop when it is over. The timer here
   * forces it after `grace`, for a worker that is too busy to do so.
   */
  limitRun(cell: FutureCell): void {
    this.unlimit(cell)
    const after = cell.options.timeout
    if (after <= LONGEST_DELAY) this.#limit(cell, after, timeoutOf("run", after), true)
  }

  #limit(cell: FutureCell, after: number, failure: Failure, isTimeout: boolean): void {
    const stop = (): void => void this.#stop(cell, State.Failed, failure, undefined, isTimeout)
    const timer = new PatientTimer(after + WORKER_FIRST_MS, () => cell.lane?.arriving ?? 0, stop)
    // A later attempt starts its own clock.
    this.#clocks.get(cell)?.clear()
    if (!this.#clocks.has(cell)) cell.observe(() => this.unlimit(cell))
    this.#clocks.set(cell, timer)
  }

  /** Asks a running call to stop, and sees to it. Answers once the work has stopped, or cannot be stopped (`false`). */
  stop(cell: FutureCell, state: 3 | 4, failure: Failure, grace: number | undefined): Promise<boolean> {
    return this.#stop(cell, state, failure, grace, false)
  }

  #stop(
    cell: FutureCell,
    state: 3 | 4,
    failure: Failure,
    grace: number | undefined,
    isTimeout: boolean
  ): Promise<boolean> {
    const asked = this.#stops.get(cell)
    if (asked !== undefined) return asked.outcome
    const lane = cell.lane
    if (lane === undefined) return Promise.resolve(false)
    const { promise: outcome, resolve } = Promise.withResolvers<boolean>()
    const patience = grace ?? this.#engine.options.grace
    const forced = patience <= LONGEST_DELAY && this.#engine.backend.remote !== true
    const timer = forced
      ? new PatientTimer(patience, () => cell.lane?.arriving ?? 0, () => this.#force(cell))
      : undefined
    this.#stops.set(cell, { state, failure, outcome, resolve, isTimeout, timer, unkillable: undefined })
    // The worker has asked it: what it returns before its time is over is its own doing.
    if (!isTimeout) {
      const reason = recordOf(failure.given, cell.task.definition.settings.errors, this.#engine.backend)
      lane.interrupt(cell, grace, reason)
      this.#engine.nested.interruptBelow(cell, grace, reason && { record: reason })
    }
    return outcome
  }

  /** The call's work has stopped: how is it to end? `undefined` when nobody asked it to stop. */
  stopped(cell: FutureCell): Ending | undefined {
    const stop = this.#stops.get(cell)
    if (stop === undefined) return undefined
    this.#forget(cell, stop)
    // After it has settled, so that whoever waits for the stop finds the future done.
    queueMicrotask(() => stop.resolve(true))
    return stop
  }

  /**
   * An outcome has come whose run time is within the timeout: a stop that only the timeout requested came too late, since this
   * thread stood still.
   */
  wasInTime(cell: FutureCell): void {
    const stop = this.#stops.get(cell)
    if (stop?.isTimeout !== true) return
    this.#forget(cell, stop)
    stop.resolve(false)
  }

  #forget(cell: FutureCell, stop: Stop): void {
    stop.timer?.clear()
    clearTimeout(stop.unkillable)
    this.#clocks.get(cell)?.clear()
    this.#stops.delete(cell)
  }

  #force(cell: FutureCell): void {
    const stop = this.#stops.get(cell)
    const lane = cell.lane
    if (stop === undefined || lane === undefined) return
    stop.unkillable = setTimeout(() => this.#unkillable(lane), UNKILLABLE_AFTER)
    lane.kill()
  }

  /** The worker is not gone in time. Every call in its hands is lost with it, whoever was asked to stop. */
  #unkillable(lane: Lane): void {
    const workerId = lane.workerId!
    const failure = ours((task, item) => new WorkerLostError({ workerId, reason: "unkillable", task, item }))
    for (const cell of lane.calls()) {
      const stop = this.#stops.get(cell)
      this.#stops.delete(cell)
      this.#engine.settle(cell, State.Failed, failure)
      stop?.timer?.clear()
      clearTimeout(stop?.unkillable)
      stop?.resolve(false)
    }
    lane.release()
    this.#engine.losses.abandoned(lane)
    // What waits needs another worker.
    this.#engine.pump()
  }

  /** An attempt is over: its timer with it. */
  unlimit(cell: FutureCell): void {
    this.#clocks.get(cell)?.clear()
    this.#clocks.delete(cell)
  }
}

/** The failure of a call whose task took too long. */
export const timeoutOf = (clock: "load" | "run", after: number): Failure =>
  ours((task, item) => new TaskTimeoutError({ clock, after, task, item }))
