/**
 * Workers that have ended: what becomes of the calls that they held, and who is told.
 *
 * ```
 * never started ──▶ back in its turn, alone where the worker died because of it, perhaps ──▶ failed, at the third death
 * started ──▶ asked to stop: stopped
 *         ──▶ its machine died: back in its turn ──▶ suspected ──▶ poison
 *         ──▶ lost
 * ```
 */
import type { LinkExit } from "../Backend.ts"
import { describe, PoisonTaskError } from "../ExecutorError.ts"
import type { WorkerExit } from "../options.ts"
import { cannotBeSent } from "../wire/oversize.ts"
import { REMEDY } from "../worker/load.ts"
import { whyClosed } from "./Admission.ts"
import { Alone, MAX_RETURNS } from "./Alone.ts"
import { State } from "./Call.ts"
import type { Engine } from "./Engine.ts"
import { entryFile } from "./entryFile.ts"
import { tellWorkerExit } from "./events.ts"
import { ours } from "./Failure.ts"
import type { Failure } from "./Failure.ts"
import type { FutureCell } from "./FutureCell.ts"
import type { Lane } from "./Lane.ts"
import { workerExit, workerLost } from "./lost.ts"
import { publishNotice } from "./notices.ts"
import { Suspects } from "./Suspects.ts"

export class Losses {
  readonly #engine: Engine
  readonly suspects: Suspects
  readonly alone = new Alone()
  /** Queue timeouts that were over while their call was on its way to a worker. */
  readonly #overdue = new Map<FutureCell, Failure>()
  /** How many workers had to be ended by force, those that could not be ended included. */
  forced = 0
  /** Workers that could not be ended. */
  readonly #unkillable: Array<Lane> = []

  /** `release` puts a call that was on trial back into the queue. */
  constructor(engine: Engine, release: (cell: FutureCell) => void) {
    this.#engine = engine
    this.suspects = new Suspects(release)
  }

  /** A worker has ended: what ran on it fails, unless it was ended for that call's sake. */
  gone(lane: Lane, exit: LinkExit): void {
    const lost = workerLost(lane, exit)
    if (lane.idle && !lane.ended && this.#engine.options.onWorkerExit === undefined) this.#report(lane, exit)
    const held = lane.calls()
    const unstarted = new Set(lane.unstarted())
    // Ended by us, or with its machine, the worker did not die because of a call that it had not started.
    const isBlamed = exit.redeliver === undefined && (!lane.ended || lane.outOfMemory)
    for (const cell of unstarted) {
      if (isBlamed) this.#returned(cell, lane, exit, unstarted.size === held.length)
      else this.#engine.takeBack(cell)
    }
    for (const cell of held) {
      if (unstarted.has(cell)) continue
      const asked = this.#engine.ladder.stopped(cell)
      if (asked !== undefined) this.#engine.end(cell, asked.state, asked.failure, false)
      else if (!this.#redeliver(cell, lost, exit.redeliver ?? 0)) {
        const failure = cell.form.each === undefined ? lost : { ...lost, begun: lane.begun(cell) }
        this.#engine.end(cell, State.Failed, failure, true)
      }
    }
    lane.release()
  }

  /**
   * A worker died before it had started a call: the call may be why, so it runs alone next time and fails after the third. `isAlone`:
   * there is no other explanation, since the worker ran nothing.
   */
  #returned(cell: FutureCell, lane: Lane, exit: LinkExit, isAlone: boolean): void {
    const engine = this.#engine
    const asked = engine.ladder.stopped(cell)
    if (asked !== undefined) return engine.settle(cell, asked.state, asked.failure)
    if (!engine.unstart(cell)) return
    const returns = this.alone.returned(cell)
    if (engine.state === "broken" || !isAlone && returns < MAX_RETURNS - 1) return this.putBack(cell)
    if (itemsOf(cell) > 1 && returns === MAX_RETURNS - 1) {
      // One of the items is at fault: the map submits each alone.
      cell.losses = Math.max(cell.losses, returns)
      return engine.settle(cell, State.Failed, { ...workerLost(lane, exit), lost: "redeliver" })
    }
    if (returns >= MAX_RETURNS) return engine.settle(cell, State.Failed, this.#neverStarted(cell, lane, exit, returns))
    if (!this.#expired(cell)) this.alone.add(cell)
  }

  #neverStarted(cell: FutureCell, lane: Lane, exit: LinkExit, attempts: number): Failure {
    const lost = workerLost(lane, exit, `before task ${JSON.stringify(cell.label)} started, ${attempts} times`)
    if (cell.options.retry === undefined) return lost
    return ours((task, item) => new PoisonTaskError({ attempts, cause: lost.build(task, item), task, item }))
  }

  /** A call cannot be sent to a worker: it fails, or, when it is a chunk of a map, each of its items is submitted alone. */
  refused(cell: FutureCell, error: unknown): void {
    const failure = ours(() => cannotBeSent(error, "args", "argument"))
    if (!this.#engine.unstart(cell)) return
    if (itemsOf(cell) === 1) return this.#engine.settle(cell, State.Failed, failure)
    cell.losses = Math.max(cell.losses, MAX_RETURNS - 1)
    this.#engine.settle(cell, State.Failed, { ...failure, lost: "redeliver" })
  }

  /** Puts a call back that a worker had and did not start: before all that came after it. */
  putBack(cell: FutureCell): void {
    if (this.#engine.state === "broken") this.#engine.settle(cell, State.Failed, whyClosed(this.#engine))
    else if (!this.#expired(cell)) this.#engine.queue.putBack(cell)
  }

  /** The queue timeout of a call is over that is on its way to a worker: the call fails if it comes back without having started. */
  overdue(cell: FutureCell, failure: Failure): void {
    if (cell.done()) return
    cell.observe(() => this.#overdue.delete(cell))
    this.#overdue.set(cell, failure)
  }

  /** Fails a call that has come back and whose queue timeout is over. */
  #expired(cell: FutureCell): boolean {
    const failure = this.#overdue.get(cell)
    if (failure !== undefined) this.#engine.settle(cell, State.Failed, failure)
    return failure !== undefined
  }

  /** The machine under a call is gone: it keeps its turn on another, unless it is the one that kills machines. */
  #redeliver(cell: FutureCell, lost: Failure, atMost: number): boolean {
    const engine = this.#engine
    const { args, form, id, task } = cell
    // What a generator has yielded cannot be taken back.
    if (atMost === 0 || form.sink !== undefined && form.each === undefined) return false
    const attempts = ++cell.losses
    if (form.each !== undefined) {
      // Some items may have answered: the map hands in the others.
      engine.settle(cell, State.Failed, { ...lost, lost: "redeliver" })
      return true
    }
    if (attempts >= atMost) {
      // It is not delivered again.
      cell.losses--
      engine.settle(
        cell,
        State.Failed,
        ours((label, item) => new PoisonTaskError({ attempts, cause: lost.build(label, item), task: label, item }))
      )
      engine.backend.poisoned?.({ id, module: task.definition.module, name: task.definition.name, args, attempts })
      return true
    }
    engine.ladder.unlimit(cell)
    // It had started in time.
    this.#overdue.delete(cell)
    if (attempts < atMost - 1 || engine.state === "broken") engine.takeBack(cell)
    else if (engine.unstart(cell)) this.suspects.add(cell)
    return true
  }

  /** A worker that ran nothing has ended with an error, so no call fails with it: it would not be seen anywhere. */
  #report(lane: Lane, exit: LinkExit): void {
    const { cause, reason, workerId } = workerExit(lane, exit)
    if (reason !== "uncaught") return
    const main = entryFile()
    const hasLoadedMain = main !== undefined && lane.hasLoaded(main)
    publishNotice(
      `Worker ${workerId} of executor "${this.#engine.options.name}" ended because of an uncaught error while it ran no call: ` +
        `${describe(cause)}. ${hasLoadedMain ? `It loaded ${main}, the file that starts the program. ${REMEDY}` : ""}`
    )
  }

  /** A worker has ended, also one that never was ready. */
  exited(lane: Lane, exit: LinkExit): void {
    this.#engine.renewal.gone(lane)
    // One that was given up has been told of.
    if (!this.#unkillable.includes(lane)) this.#tell(lane, workerExit(lane, exit))
  }

  /** A worker was to be ended and does not end: it is reported, and named when the executor is shut down. */
  abandoned(lane: Lane): void {
    if (lane.state === "lost") return
    lane.abandon()
    this.#engine.renewal.gone(lane)
    this.#unkillable.push(lane)
    this.#tell(lane, {
      workerId: lane.workerId,
      exitCode: undefined,
      signal: undefined,
      reason: "unkillable",
      forced: true,
      cause: undefined,
      leftBehindBy: undefined
    })
  }

  #tell(lane: Lane, exit: WorkerExit): void {
    if (exit.forced) this.forced++
    tellWorkerExit(this.#engine, lane, exit)
    try {
      this.#engine.options.onWorkerExit?.(exit)
    } catch (error) {
      process.emitWarning(`onWorkerExit threw: ${describe(error)}`, "FuturesWarning")
    }
  }

  /** Names, at the end, the workers that still cannot be ended. */
  warn(name: string): void {
    const left = this.#unkillable.filter((lane) => lane.state === "lost").map((lane) => lane.workerId)
    if (left.length === 0) return
    const named = `Executor "${name}" has shut down, but these workers could not be stopped`
    process.emitWarning(`${named}: ${left.join(", ")}`, "FuturesWarning")
  }
}

/** How many items of a map a call has; 1 for any other call. */
const itemsOf = ({ args, form }: FutureCell): number =>
  form.each === undefined ? 1 : (args[0] as ArrayLike<unknown>).length
