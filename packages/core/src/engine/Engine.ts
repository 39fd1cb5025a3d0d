/**
 * The executor's inside: calls come in, wait in the queue, are handed to lanes, and settle.
 *
 * ```
 * open ──▶ draining ──▶ closed          `shutdown`: no new calls; everything handed in settles; then the workers end
 * open ──▶ broken ──▶ closed            workers cannot start: every call fails with the cause, also those still to come
 * ```
 *
 * Plain TypeScript: nothing here imports Effect. Workers are brought up, watched and ended by the supervisor that is handed in.
 */
import { availableParallelism, hostname } from "node:os"
import type { Backend, LinkExit } from "../Backend.ts"
import { toMillis } from "../duration.ts"
import {
  BrokenExecutorError,
  describe,
  ExecutorShutdownError,
  NotPortableError,
  TaskTimeoutError
} from "../ExecutorError.ts"
import type { CancelReason } from "../ExecutorError.ts"
import type { ResolvedOptions } from "../options.ts"
import type { TaskInfo } from "../Task.ts"
import { infoOf } from "../Task.ts"
import type { ErrorRecord } from "../wire/error.ts"
import { Status } from "../wire/frames.ts"
import { captureArgs } from "../wire/value.ts"
import { cancelledBy, ours, remote } from "./Failure.ts"
import type { Failure } from "./Failure.ts"
import { FutureCell, State } from "./FutureCell.ts"
import { Lane } from "./Lane.ts"
import { workerExit, workerLost } from "./lost.ts"
import { Queue } from "./Queue.ts"
import { StopLadder } from "./StopLadder.ts"

export type EngineState = "open" | "draining" | "broken" | "closed"

/** Brings workers up, watches them, and ends them. */
export interface Supervisor {
  /** Starts a worker in a new lane: the engine hears of it through the lane's events. */
  readonly start: () => void
  /** Ends all workers and leaves nothing behind. */
  readonly close: () => Promise<void>
}

/** What `stats()` answers. */
export interface ExecutorStats {
  /** Calls that have not started. */
  readonly pending: number
  readonly running: number
  readonly succeeded: number
  readonly failed: number
  readonly cancelled: number
  /** Workers that live, those still starting included. */
  readonly workers: number
  /** Frames and replies that belonged to no call of ours. */
  readonly dropped: number
}

export interface ShutdownOptions {
  /** Cancel what has not started instead of running it. */
  readonly cancelPending?: boolean | undefined
}

let executors = 0

/** Workers that may be starting at a time. */
const startsAtATime = availableParallelism()

export class Engine {
  readonly host = hostname()
  /** Names this executor on the wire, unique in this process. */
  readonly id = ++executors
  readonly backend: Backend
  readonly options: ResolvedOptions
  state: EngineState = "open"
  /** Calls that have not started, in order. */
  readonly #queue = new Queue()
  /** Workers that live. The supervisor adds, `gone` removes. */
  readonly lanes = new Set<Lane>()
  readonly #ladder: StopLadder
  readonly #supervisor: Supervisor
  /** Why it is broken. */
  #cause: unknown
  #running = 0
  #counts = { succeeded: 0, failed: 0, cancelled: 0, dropped: 0 }
  #calls = 0
  /** Calls that have not settled: while there are any, the process stays alive. */
  #unsettled = 0
  /** Keeps the process alive while ref'd; a timer that never fires. */
  #alive: NodeJS.Timeout | undefined
  #pumpScheduled = false
  #closing: Promise<void> | undefined
  #drained: (() => void) | undefined

  constructor(backend: Backend, options: ResolvedOptions, supervise: (engine: Engine) => Supervisor) {
    this.backend = backend
    this.options = options
    this.#ladder = new StopLadder(this)
    this.#supervisor = supervise(this)
  }

  // ---- accepting

  /** Accepts a call, or answers with a future that has already failed. Never throws. */
  submit(task: unknown, args: Array<unknown>, each = false): FutureCell {
    const info = infoOf(task)
    if (info === undefined) return this.#refuse(anonymous, ours(() => notATask(task)))
    if (this.state !== "open") return this.#refuse(info, this.#whyClosed())
    let transfers: Array<ArrayBuffer> | undefined
    try {
      transfers = captureArgs(args, this.backend)
    } catch (error) {
      return this.#refuse(info, ours(() => error))
    }
    const cell = new FutureCell(this, ++this.#calls, info, args, transfers, each, performance.now())
    if (this.#unsettled++ === 0) this.#hold()
    this.#queue.push(cell)
    this.#schedulePump()
    return cell
  }

  #refuse(task: TaskInfo, failure: Failure): FutureCell {
    const cell = new FutureCell(this, ++this.#calls, task, [], undefined, false, performance.now())
    this.#counts.failed++
    cell.settle(State.Failed, failure, performance.now())
    return cell
  }

  #whyClosed(): Failure {
    const cause = this.#cause
    return this.state === "broken"
      ? ours(() => new BrokenExecutorError({ cause }))
      : ours(() => new ExecutorShutdownError())
  }

  // ---- handing over

  #schedulePump(): void {
    if (this.#pumpScheduled) return
    this.#pumpScheduled = true
    queueMicrotask(() => {
      this.#pumpScheduled = false
      this.pump()
    })
  }

  /** Hands waiting calls to lanes with room, the least loaded first, and asks for workers where there is none. */
  pump(): void {
    const { concurrency } = this.options
    for (let level = 0; level < concurrency && this.#queue.size > 0; level++) {
      for (const lane of this.lanes) {
        if (lane.state !== "ready" || lane.load > level) continue
        const cell = this.#queue.shift()
        if (cell === undefined) break
        this.#handOver(cell, lane)
      }
    }
    for (const lane of this.lanes) lane.flush()
    this.#grow()
  }

  #handOver(cell: FutureCell, lane: Lane): void {
    cell.start(lane.workerId!, performance.now())
    this.#running++
    lane.take(cell)
    const timeout = cell.task.options?.timeout
    if (timeout === undefined) return
    const after = toMillis(timeout, "timeout")
    this.#ladder.limit(cell, after, ours(() => new TaskTimeoutError({ clock: "run", after })))
  }

  /** Starts as many workers at a time as there are cores: more at once only delay each other. */
  #grow(): void {
    let room = 0
    let starting = 0
    let living = 0
    for (const lane of this.lanes) {
      if (lane.state === "lost") continue
      living++
      // A lane that is gone and still here is being started anew.
      const comes = lane.state === "starting" || lane.state === "gone"
      if (comes) starting++
      if (comes || lane.state === "ready") room += this.options.concurrency - lane.load
    }
    while (
      this.#queue.size > room && living < this.options.maxWorkers && starting < startsAtATime && this.state !== "broken"
    ) {
      this.#supervisor.start()
      room += this.options.concurrency
      living++
      starting++
    }
  }

  // ---- what lanes tell

  readonly laneEvents = {
    ready: (): void => this.pump(),
    idle: (): void => this.pump(),
    outcome: (_: Lane, cell: FutureCell, status: number, value: unknown): void => this.#outcome(cell, status, value),
    output: (stream: 1 | 2, chunk: Uint8Array | string): void => {
      ;(stream === 1 ? process.stdout : process.stderr).write(chunk)
    },
    dropped: (): void => {
      this.#counts.dropped++
    },
    gone: (lane: Lane, exit: LinkExit): void => this.#gone(lane, exit)
  }

  #outcome(cell: FutureCell, status: number, value: unknown): void {
    const { errors } = cell.task.definition.settings
    const asked = this.#ladder.stopped(cell)
    // A task that was asked to stop has been stopped, also when it returned normally meanwhile.
    if (asked !== undefined) this.settle(cell, asked.state, asked.failure)
    else if (status === Status.Succeeded) this.settle(cell, State.Succeeded, value)
    else if (status === Status.Interrupted) this.settle(cell, State.Cancelled, cancelledBy("interrupt"))
    else {
      const kind = status === Status.Threw ? "threw" : status === Status.Failed ? "failed" : "ours"
      this.settle(cell, State.Failed, remote(kind, value as ErrorRecord, errors))
    }
  }

  /** A worker has ended: what ran on it fails, unless it was ended for that call's sake. */
  #gone(lane: Lane, exit: LinkExit): void {
    this.lanes.delete(lane)
    const lost = workerLost(lane, exit)
    for (const cell of lane.calls()) {
      const asked = this.#ladder.stopped(cell)
      if (asked === undefined) this.settle(cell, State.Failed, lost)
      else this.settle(cell, asked.state, asked.failure)
    }
    lane.release()
    this.options.onWorkerExit?.(workerExit(lane, exit))
    this.pump()
  }

  // ---- settling

  settle(cell: FutureCell, state: 2 | 3 | 4, outcome: unknown): void {
    const wasRunning = cell.code === State.Running
    if (!cell.settle(state, outcome, performance.now())) return
    if (wasRunning) this.#running--
    if (state === State.Succeeded) this.#counts.succeeded++
    else if (state === State.Failed) this.#counts.failed++
    else this.#counts.cancelled++
    if (--this.#unsettled > 0) return
    if (this.#closing === undefined) this.#alive?.unref()
    this.#drained?.()
  }

  cancel(cell: FutureCell, reason: CancelReason = "cancel"): boolean {
    if (!this.#queue.remove(cell)) return false
    this.settle(cell, State.Cancelled, cancelledBy(reason))
    return true
  }

  interrupt(cell: FutureCell, grace: number | undefined): Promise<boolean> {
    if (this.cancel(cell, "interrupt")) return Promise.resolve(true)
    return this.#ladder.stop(cell, State.Cancelled, cancelledBy("interrupt"), grace)
  }

  // ---- ending

  /** Workers cannot start: everything that waits fails with the cause, and so does everything still to come. */
  break(cause: unknown): void {
    if (this.state === "broken" || this.state === "closed") return
    this.#cause = cause
    this.state = "broken"
    const failure = this.#whyClosed()
    for (const cell of this.#queue.drain()) this.settle(cell, State.Failed, failure)
  }

  shutdown(options: ShutdownOptions = {}): Promise<void> {
    if (this.state === "open") this.state = "draining"
    if (options.cancelPending === true) this.#cancelPending()
    return this.#closing ??= this.#close()
  }

  /** Ends now: cancels what is pending, interrupts what runs. */
  terminate(): Promise<void> {
    const closing = this.shutdown({ cancelPending: true })
    for (const lane of this.lanes) {
      for (const cell of lane.calls()) {
        void this.#ladder.stop(cell, State.Cancelled, cancelledBy("shutdown"), undefined)
      }
    }
    return closing
  }

  #cancelPending(): void {
    for (const cell of this.#queue.drain()) this.settle(cell, State.Cancelled, cancelledBy("shutdown"))
  }

  async #close(): Promise<void> {
    this.#hold()
    if (this.#unsettled > 0) await new Promise<void>((resolve) => this.#drained = resolve)
    await this.#supervisor.close()
    this.state = "closed"
    clearInterval(this.#alive)
  }

  /** Keeps the process alive until it is let go. */
  #hold(): void {
    if (this.#alive === undefined) this.#alive = setInterval(() => {}, 2 ** 31 - 1)
    else this.#alive.ref()
  }

  get stats(): ExecutorStats {
    const { cancelled, dropped, failed, succeeded } = this.#counts
    return {
      pending: this.#queue.size,
      running: this.#running,
      succeeded,
      failed,
      cancelled,
      workers: this.lanes.size,
      dropped
    }
  }
}

const anonymous: TaskInfo = {
  definition: { module: "", name: "(not a task)", fn: undefined, settings: { errors: [] } },
  options: undefined
}

const notATask = (task: unknown): NotPortableError =>
  new NotPortableError({
    path: "task",
    value: describe(task),
    side: "task",
    hint:
      "Declare it with Task.module(import.meta, { name: fn }) in a module of its own, and hand in the task that this returns"
  })
