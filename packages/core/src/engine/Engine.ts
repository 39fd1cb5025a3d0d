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
import { callOptions, noOptions } from "../callOptions.ts"
import type { CallOptions } from "../callOptions.ts"
import { LONGEST_DELAY, toMillis } from "../duration.ts"
import type { DurationInput } from "../duration.ts"
import {
  BrokenExecutorError,
  describe,
  ExecutorShutdownError,
  NotPortableError,
  QueueFullError,
  TaskTimeoutError,
  WorkerLostError
} from "../ExecutorError.ts"
import type { CancelReason } from "../ExecutorError.ts"
import type { ResolvedOptions, WorkerExit } from "../options.ts"
import { infoOf } from "../Task.ts"
import type { TaskInfo } from "../Task.ts"
import type { ErrorRecord } from "../wire/error.ts"
import { Status } from "../wire/frames.ts"
import type { CallTrace } from "../wire/frames.ts"
import { captureArgs } from "../wire/value.ts"
import { codecOf } from "../worker/codec.ts"
import type { TaskCodec } from "../worker/codec.ts"
import type { TaskDefinition } from "../worker/registry.ts"
import { cancelledBy, failureOf, ours } from "./Failure.ts"
import type { Failure } from "./Failure.ts"
import { FutureCell, State } from "./FutureCell.ts"
import type { Lane, LaneEvents } from "./Lane.ts"
import { Levels } from "./Levels.ts"
import { limitCall } from "./limits.ts"
import { workerExit, workerLost } from "./lost.ts"
import { Nested } from "./Nested.ts"
import { Pace } from "./Pace.ts"
import { Recycling } from "./Recycling.ts"
import { Retries } from "./Retries.ts"
import { StopLadder } from "./StopLadder.ts"
import { Unseen } from "./Unseen.ts"

export type EngineState = "open" | "draining" | "broken" | "closed"

/** Brings workers up, watches them, and ends them. */
export interface Supervisor {
  /** Workers that were asked for and are not ready yet. */
  readonly starting: number
  /** Starts a worker in a new lane: the engine hears of it through the lane's events. */
  readonly start: () => void
  /** Ends a worker that has nothing to do. */
  readonly retire: (lane: Lane) => void
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
  /** Milliseconds after which what still runs is interrupted, and then ended by force. For ever by default. */
  readonly timeout?: DurationInput | undefined
}

/** What a call may have besides its task and arguments. */
export interface CallForm {
  /** `args` holds one array of items, each a call of its own: with the item as its argument, or as its tuple of arguments. */
  readonly each?: "item" | "spread" | undefined
  /** It never goes with others into a worker's hands: an item of a map, whose rest must not run once one has failed. */
  readonly alone?: boolean | undefined
  /** The task is a generator: its items go here. */
  readonly sink?: ((items: ReadonlyArray<unknown>) => void) | undefined
  /** How deep it is nested: calls that a call of ours submitted are one deeper. */
  readonly depth?: number | undefined
  /** The context of the call that hands this one in, which is its own too. */
  readonly context?: unknown
  /** In a worker: the wire id of the running call that hands this one in. */
  readonly parent?: number | undefined
  /** The caller's span and log annotations, when it calls from an Effect. */
  readonly trace?: CallTrace | undefined
}

let executors = 0

/** Workers that may be starting at a time: more at once than there are cores only delay each other. */
const startsAtATime = availableParallelism()

export class Engine {
  readonly host = hostname()
  /** Names this executor on the wire, unique in this process. */
  readonly id = ++executors
  readonly backend: Backend
  readonly options: ResolvedOptions
  readonly waiting: (() => (() => void) | undefined) | undefined
  state: EngineState = "open"
  /** Calls that have not started, in order. */
  readonly #queue = new Levels()
  /** Workers that live. The supervisor adds, `gone` removes. */
  readonly lanes = new Set<Lane>()
  /** Workers that could not be ended. */
  readonly #lost: Array<Lane> = []
  readonly #ladder: StopLadder
  readonly #retries = new Retries((cell) => this.#enqueue(cell))
  readonly #supervisor: Supervisor
  readonly #recycling: Recycling
  readonly #unseen = new Unseen()
  readonly #nested = new Nested(this)
  /** How quick each task has been; the latest is at hand. */
  readonly #paces = new WeakMap<TaskDefinition, Pace>()
  #lastDefinition: TaskDefinition | undefined
  #lastPace: Pace | undefined
  /** Why it is broken. */
  #cause: unknown
  #running = 0
  readonly #counts = { succeeded: 0, failed: 0, cancelled: 0, dropped: 0 }
  #calls = 0
  /** Calls that have not settled: while there are any, the process stays alive. */
  #unsettled = 0
  /** Keeps the process alive while ref'd; a timer that never fires. */
  #alive: NodeJS.Timeout | undefined
  #pumpScheduled = false
  #closing: Promise<void> | undefined
  /** Whether `#closing` has begun, which holds the process to its end. */
  #ending = false
  #drained: (() => void) | undefined
  /** Those who wait for room in the queue, or for the workers that are always kept. */
  #waitingForRoom: Array<() => void> = []

  /** `waiting` is told that somebody begins to wait for calls of this engine; its answer is called when that is over. */
  constructor(
    backend: Backend,
    options: ResolvedOptions,
    supervise: (engine: Engine) => Supervisor,
    waiting?: () => (() => void) | undefined
  ) {
    this.waiting = waiting
    this.backend = backend
    this.options = options
    this.#ladder = new StopLadder(this)
    this.#supervisor = supervise(this)
    this.#recycling = new Recycling(this, this.#supervisor)
    if (options.minWorkers > 0) this.#schedulePump()
  }

  // ---- accepting

  /** Accepts a call, or answers with a future that has already failed. Never throws. */
  submit(task: unknown, args: Array<unknown>, form: CallForm = plain): FutureCell {
    const info = infoOf(task)
    if (info === undefined) return this.#refuse(anonymous, ours(() => notATask(task)))
    return this.accept(info, args, form)
  }

  accept(info: TaskInfo, args: Array<unknown>, form: CallForm): FutureCell {
    // A call that runs may still hand in others while everything else is over.
    const takes = this.state === "open" || (this.state === "draining" && form.depth !== undefined)
    if (!takes) return this.#refuse(info, this.#whyClosed())
    const { context, maxPending, stacks, whenFull } = this.options
    if (whenFull === "reject" && this.#queue.size >= maxPending) {
      return this.#refuse(info, ours(() => new QueueFullError({ maxPending })))
    }
    let options: CallOptions
    let transfers: Array<ArrayBuffer> | undefined
    let carried: Array<unknown> | undefined
    try {
      options = callOptions(info)
      const codec = codecOf(info.definition)
      if (codec !== undefined) encodeInPlace(codec, args, form)
      transfers = captureArgs(args, this.backend, options.transfer)
      if (context !== undefined && form.depth === undefined) captureArgs(carried = [context.capture()], this.backend)
    } catch (error) {
      return this.#refuse(
        info,
        error instanceof NotPortableError ? ours(() => error) : { kind: "threw", build: () => error }
      )
    }
    // What was moved once cannot be moved again: a call that may be tried anew is copied each time.
    if (options.retry !== undefined || form.each !== undefined) transfers = undefined
    const cell = new FutureCell(this, ++this.#calls, info, options, args, transfers, form, performance.now())
    cell.pace = this.#paceOf(info.definition)
    cell.context = carried === undefined ? form.context : carried[0]
    if (stacks === "submit") Error.captureStackTrace(cell.site = {}, this.submit)
    if (this.#unsettled++ === 0) this.#hold()
    this.#enqueue(cell)
    if (options !== noOptions) limitCall(cell, this, this.backend.remote === true)
    return cell
  }

  #paceOf(definition: TaskDefinition): Pace {
    if (definition === this.#lastDefinition) return this.#lastPace!
    let pace = this.#paces.get(definition)
    if (pace === undefined) this.#paces.set(definition, pace = new Pace())
    this.#lastDefinition = definition
    return this.#lastPace = pace
  }

  #enqueue(cell: FutureCell): void {
    if (this.state === "broken") return this.settle(cell, State.Failed, this.#whyClosed())
    this.#queue.push(cell)
    this.#schedulePump()
  }

  #refuse(task: TaskInfo, failure: Failure): FutureCell {
    const now = performance.now()
    const cell = new FutureCell(this, ++this.#calls, task, noOptions, [], undefined, plain, now)
    this.#counts.failed++
    cell.refused = true
    cell.settle(State.Failed, failure, now)
    this.#unseen.note(cell)
    return cell
  }

  #whyClosed(): Failure {
    const cause = this.#cause
    return this.state === "broken"
      ? ours(() => new BrokenExecutorError({ cause }))
      : ours(() => new ExecutorShutdownError())
  }

  /** Resolves when the queue has room and the workers that are always kept are up; at once when the executor takes no more calls. */
  ready(): Promise<void> {
    if (this.#isReady()) return Promise.resolve()
    this.#hold()
    return new Promise((resolve) => this.#waitingForRoom.push(resolve))
  }

  /** Whether another call may wait, or would be told at once that it may not. */
  get hasRoom(): boolean {
    return this.state !== "open" || this.options.whenFull === "reject" || this.#queue.size < this.options.maxPending
  }

  #isReady(): boolean {
    if (this.state !== "open") return true
    let up = 0
    for (const lane of this.lanes) if (lane.state === "ready") up++
    return this.#queue.size < this.options.maxPending && up >= this.options.minWorkers
  }

  #tellRoom(): void {
    while (this.#waitingForRoom.length > 0 && this.#isReady()) this.#waitingForRoom.shift()!()
    this.#release()
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

  /**
   * Hands waiting calls to lanes: first to those with a free slot, the least loaded first, then, if they are short, more of them to each, in equal parts.
   * Then asks for workers where that was not enough.
   */
  pump(): void {
    const { concurrency } = this.options
    for (let level = 0; level < concurrency && this.#queue.size > 0; level++) {
      for (const lane of this.lanes) {
        if (lane.state === "ready" && !lane.retiring && lane.load <= level) this.#feed(lane, 1)
      }
    }
    if (this.#queue.size > 0) {
      const share = Math.ceil(this.#queue.size / this.lanes.size)
      for (const lane of this.lanes) if (lane.state === "ready") this.#feed(lane, share)
    }
    for (const lane of this.lanes) lane.flush()
    this.#grow()
    if (this.#waitingForRoom.length > 0) this.#tellRoom()
  }

  /** Hands a lane so many calls, or as many as it has room for. */
  #feed(lane: Lane, count: number): void {
    for (let fed = 0; fed < count && !lane.retiring; fed++) {
      const next = this.#queue.peek()
      if (next === undefined || !lane.hasRoom(next, this.options.concurrency)) return
      this.#handOver(this.#queue.shift()!, lane)
    }
  }

  #handOver(cell: FutureCell, lane: Lane): void {
    cell.start(lane.workerId!, performance.now())
    this.#running++
    lane.take(cell, lane.load >= this.options.concurrency)
    this.#recycling.look(lane)
    const after = cell.options.timeout
    if (after !== Infinity && this.backend.remote !== true) {
      this.#ladder.limit(
        cell,
        after,
        ours(() => new TaskTimeoutError({ clock: "run", after }))
      )
    }
  }

  /** Starts workers while calls wait that nobody has room for, or fewer live than are always kept. */
  #grow(): void {
    if (this.state === "broken" || this.state === "closed") return
    const { concurrency, maxWorkers, minWorkers } = this.options
    let room = this.#supervisor.starting * concurrency
    let living = this.#supervisor.starting
    let lost = 0
    for (const lane of this.lanes) {
      if (lane.state === "lost") lost++
      else if (lane.state !== "starting") living++
      if (lane.state === "ready" && !lane.retiring) room += concurrency - lane.load
    }
    // A worker that cannot be ended is replaced, but once: threads that spin for ever must not pile up.
    const limit = lost > 1 ? maxWorkers + 1 - lost : maxWorkers
    while (
      living < limit && this.#supervisor.starting < startsAtATime && (this.#queue.size > room || living < minWorkers)
    ) {
      this.#supervisor.start()
      room += concurrency
      living++
    }
    if (living === 0 && lost > 0 && this.#queue.size > 0) {
      this.break(new WorkerLostError({ workerId: "all", reason: "unkillable" }))
    }
  }

  // ---- what lanes tell

  readonly laneEvents: LaneEvents = {
    ready: () => this.pump(),
    idle: (lane) => {
      this.#recycling.look(lane)
      this.pump()
    },
    outcome: (_, cell, status, value) => this.#outcome(cell, status, value),
    output: (stream, chunk) => {
      ;(stream === 1 ? process.stdout : process.stderr).write(chunk)
    },
    overMemory: (lane, bytes) => this.#recycling.overMemory(lane, bytes),
    returned: (_, cell) => this.#takeBack(cell),
    nested: (lane, frame) => this.#nested.receive(lane, frame),
    parked: () => this.#schedulePump(),
    dropped: () => {
      this.#counts.dropped++
    },
    gone: (lane, exit) => this.#gone(lane, exit)
  }

  #outcome(cell: FutureCell, status: number, value: unknown): void {
    cell.pace?.learn(cell.ran)
    const asked = this.#ladder.stopped(cell)
    // A task that was asked to stop has been stopped, also when it returned normally meanwhile.
    if (asked !== undefined) return this.#end(cell, asked.state, asked.failure, false)
    if (status === Status.Succeeded) return this.#succeeded(cell, value)
    if (status === Status.Interrupted) {
      return this.settle(cell, State.Cancelled, cancelledBy("interrupt"))
    }
    const failure = failureOf(cell.task.definition, status, value as ErrorRecord)
    if (failure.kind === "ours") this.settle(cell, State.Failed, failure)
    else this.#end(cell, State.Failed, failure, false)
  }

  #succeeded(cell: FutureCell, value: unknown): void {
    const codec = cell.form.each === undefined ? codecOf(cell.task.definition) : undefined
    if (codec === undefined) return this.settle(cell, State.Succeeded, value)
    try {
      this.settle(cell, State.Succeeded, codec.decodeSuccess(value))
    } catch (error) {
      this.#end(cell, State.Failed, { kind: "threw", build: () => error }, false)
    }
  }

  /** A worker has ended: what ran on it fails, unless it was ended for that call's sake. */
  #gone(lane: Lane, exit: LinkExit): void {
    this.lanes.delete(lane)
    const lost = workerLost(lane, exit)
    const unstarted = lane.unstarted()
    for (const cell of unstarted) this.#takeBack(cell)
    for (const cell of lane.calls()) {
      if (unstarted.includes(cell)) continue
      const asked = this.#ladder.stopped(cell)
      if (asked === undefined) this.#end(cell, State.Failed, lost, true)
      else this.#end(cell, asked.state, asked.failure, false)
    }
    lane.release()
    this.#nested.gone(lane)
    this.#tellExit(workerExit(lane, exit))
    this.pump()
  }

  /** A worker was to be ended and does not end: it is reported, and named when the executor is shut down. */
  abandoned(lane: Lane): void {
    if (lane.state === "lost") return
    lane.abandon()
    this.#lost.push(lane)
    this.#tellExit({
      workerId: lane.workerId,
      exitCode: undefined,
      signal: undefined,
      reason: "unkillable",
      cause: undefined
    })
  }

  #tellExit(exit: WorkerExit): void {
    try {
      this.options.onWorkerExit?.(exit)
    } catch (error) {
      process.emitWarning(`onWorkerExit threw: ${describe(error)}`, "FuturesWarning")
    }
  }

  /** A call that was handed over and never started keeps its turn. */
  #takeBack(cell: FutureCell): void {
    const asked = this.#ladder.stopped(cell)
    if (asked !== undefined) return this.settle(cell, asked.state, asked.failure)
    if (!cell.unstart()) return
    this.#running--
    if (this.state === "broken") this.settle(cell, State.Failed, this.#whyClosed())
    else this.#queue.putBack(cell)
  }

  // ---- settling

  /** An attempt has ended without a value: there may be another. */
  #end(cell: FutureCell, state: 3 | 4, failure: Failure, lost: boolean): void {
    this.#ladder.unlimit(cell)
    if (state === State.Failed && this.state !== "broken" && this.#retries.retry(cell, failure, lost)) {
      this.#running--
      return
    }
    this.settle(cell, state, state === State.Failed ? this.#retries.verdict(cell, failure) : failure)
  }

  settle(cell: FutureCell, state: 2 | 3 | 4, outcome: unknown): void {
    const wasRunning = cell.code === State.Running
    if (!cell.settle(state, outcome, performance.now())) return
    if (wasRunning) this.#running--
    if (state === State.Succeeded) this.#counts.succeeded++
    else if (state === State.Cancelled) this.#counts.cancelled++
    else {
      this.#counts.failed++
      this.#unseen.note(cell)
    }
    if (--this.#unsettled > 0) return
    this.#release()
    this.#drained?.()
  }

  cancel(cell: FutureCell, reason: CancelReason = "cancel"): boolean {
    if (!this.#queue.remove(cell) && !this.#retries.remove(cell)) return false
    this.settle(cell, State.Cancelled, cancelledBy(reason))
    if (this.#waitingForRoom.length > 0) this.#tellRoom()
    return true
  }

  interrupt(cell: FutureCell, grace?: number, reason: CancelReason = "interrupt"): Promise<boolean> {
    if (this.cancel(cell, reason)) return Promise.resolve(true)
    return this.#ladder.stop(cell, State.Cancelled, cancelledBy(reason), grace)
  }

  abort(cell: FutureCell, reason: CancelReason): void {
    void this.interrupt(cell, undefined, reason)
  }

  expire(cell: FutureCell, failure: Failure): void {
    if (!this.#queue.remove(cell)) return
    this.settle(cell, State.Failed, failure)
    if (this.#waitingForRoom.length > 0) this.#tellRoom()
  }

  // ---- ending

  /** Workers cannot start: everything that waits fails with the cause, and so does everything still to come. */
  break(cause: unknown): void {
    if (this.state === "broken" || this.state === "closed") return
    this.#cause = cause
    this.state = "broken"
    const failure = this.#whyClosed()
    for (const cell of [...this.#queue.drain(), ...this.#retries.drain()]) this.settle(cell, State.Failed, failure)
    this.#tellRoom()
  }

  shutdown(options: ShutdownOptions = {}): Promise<void> {
    const after = options.timeout === undefined ? Infinity : toMillis(options.timeout, "timeout")
    if (this.state === "open") this.state = "draining"
    if (options.cancelPending === true) this.#cancelPending()
    if (after <= LONGEST_DELAY) {
      const timer = setTimeout(() => this.#interruptAll(), after)
      timer.unref()
      void this.#close().finally(() => clearTimeout(timer))
    }
    return this.#close()
  }

  /** Ends now: cancels what is pending, interrupts what runs. */
  terminate(): Promise<void> {
    if (this.state === "open") this.state = "draining"
    this.#interruptAll()
    return this.#close()
  }

  #interruptAll(): void {
    this.#cancelPending()
    for (const lane of this.lanes) for (const cell of lane.calls()) this.abort(cell, "shutdown")
  }

  #cancelPending(): void {
    const failure = cancelledBy("shutdown")
    for (const cell of [...this.#queue.drain(), ...this.#retries.drain()]) this.settle(cell, State.Cancelled, failure)
  }

  #close(): Promise<void> {
    return this.#closing ??= this.#drainAndEnd()
  }

  async #drainAndEnd(): Promise<void> {
    this.#ending = true
    this.#hold()
    this.#tellRoom()
    if (this.#unsettled > 0) await new Promise<void>((resolve) => this.#drained = resolve)
    this.#recycling.close()
    await this.#supervisor.close()
    this.state = "closed"
    clearInterval(this.#alive)
    this.#alive = undefined
    this.#unseen.warn(this.options.name)
    const lost = this.#lost.filter((lane) => lane.state === "lost").map((lane) => lane.workerId)
    if (lost.length === 0) return
    const named = `Executor "${this.options.name}" is shut down but for workers that cannot be stopped`
    process.emitWarning(`${named}: ${lost.join(", ")}`, "FuturesWarning")
  }

  /** Keeps the process alive until it is let go. */
  #hold(): void {
    if (this.state === "closed") return
    if (this.#alive === undefined) this.#alive = setInterval(() => {}, LONGEST_DELAY)
    else this.#alive.ref()
  }

  #release(): void {
    if (this.#unsettled === 0 && this.#waitingForRoom.length === 0 && !this.#ending) this.#alive?.unref()
  }

  get stats(): ExecutorStats {
    const { cancelled, dropped, failed, succeeded } = this.#counts
    const pending = this.#unsettled - this.#running
    return { pending, running: this.#running, succeeded, failed, cancelled, workers: this.lanes.size, dropped }
  }
}

const plain: CallForm = {}

/** Translates arguments by the task's schemas; throws the schema's error. */
const encodeInPlace = (codec: TaskCodec, args: Array<unknown>, { each }: CallForm): void => {
  if (each === undefined) args.splice(0, args.length, ...codec.encodeArgs(args))
  else if (each === "spread") args[0] = (args[0] as Array<unknown>).map((tuple) => codec.encodeArgs(tuple))
  else args[0] = (args[0] as Array<unknown>).map((item) => codec.encodeArgs([item])[0])
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
