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
import { hostname } from "node:os"
import type { Backend } from "../Backend.ts"
import type { ResolvedOptions } from "../options.ts"
import type { TaskInfo } from "../Task.ts"
import { performance } from "../timers.ts"
import type { ErrorRecord } from "../wire/error.ts"
import { Status } from "../wire/frames.ts"
import type { Frame } from "../wire/frames.ts"
import { codecOf } from "../worker/codec.ts"
import { Admission, whyClosed } from "./Admission.ts"
import { State } from "./Call.ts"
import { plain } from "./CallForm.ts"
import type { CallForm } from "./CallForm.ts"
import { Closing } from "./Closing.ts"
import type { ShutdownOptions } from "./Closing.ts"
import { Dispatcher } from "./Dispatcher.ts"
import { tellRetry, tellSettle, tellStart, tellSubmit, tellWorkerReady } from "./events.ts"
import { cancelledBy, failureOf } from "./Failure.ts"
import type { Failure } from "./Failure.ts"
import type { FutureCell } from "./FutureCell.ts"
import { Hold } from "./Hold.ts"
import { KeepAlive } from "./KeepAlive.ts"
import type { Lane, LaneEvents } from "./Lane.ts"
import { Levels } from "./Levels.ts"
import { Losses } from "./Losses.ts"
import { Nested } from "./Nested.ts"
import type { Guest } from "./Nested.ts"
import { CHUNKS_AHEAD_FROM_MS } from "./Pace.ts"
import { passOn } from "./passOn.ts"
import { Recycling } from "./Recycling.ts"
import { Renewal } from "./Renewal.ts"
import { Retries } from "./Retries.ts"
import { Room } from "./Room.ts"
import { StopLadder, timeoutOf } from "./StopLadder.ts"
import { Unseen } from "./Unseen.ts"

export type EngineState = "open" | "draining" | "broken" | "closed"

/** Brings workers up, watches them, and ends them. */
export interface Supervisor {
  /** Workers that were asked for and are not ready yet. */
  readonly starting: number
  /** Starts a worker in a new lane: the engine hears of it through the lane's events. */
  readonly start: () => void
  /** Ends a worker that has nothing to do. Resolves when it is gone. */
  readonly retire: (lane: Lane) => Promise<void>
  /** Ends all workers and leaves nothing behind. */
  readonly close: () => Promise<void>
}

/** What `stats()` answers. */
export interface ExecutorStats {
  /** Calls that have not started. */
  readonly pending: number
  /** Calls that workers have started: never more than slots, except for tasks that wait for calls of their own. */
  readonly running: number
  /** Calls that ended with a result, since the executor was made. */
  readonly succeeded: number
  /** Calls that failed, since the executor was made. */
  readonly failed: number
  /** Calls that were cancelled, since the executor was made. */
  readonly cancelled: number
  /** Workers that live, those still starting included. */
  readonly workers: number
  /** Frames from workers that belonged to no call, such as a reply after a forced stop; each is discarded. */
  readonly strayFrames: number
  /** Workers that had to be ended by force, since the executor was made, those that cannot be ended included: see `WorkerExit`. */
  readonly forced: number
}

let executors = 0

let random: string | undefined
/** Unique among all threads and processes: 80 random bits, drawn when first needed. */
const processKey = (): string => random ??= process.getBuiltinModule("node:crypto").randomBytes(10).toString("hex")

export class Engine {
  readonly host = hostname()
  /** Names this executor on the wire, unique in this process. */
  readonly id = ++executors
  readonly backend: Backend
  readonly options: ResolvedOptions
  /** Told that somebody begins to wait for calls of this engine; its answer is called when that is over. */
  readonly waiting: (() => (() => void) | undefined) | undefined
  state: EngineState = "open"
  /** Why it is broken. */
  cause: unknown
  /** Calls that have not started, in order. */
  readonly queue = new Levels()
  /** Workers that live. The supervisor adds, `gone` removes. */
  readonly lanes = new Set<Lane>()
  /** Workers whose start has failed several times and is tried again. The supervisor counts. */
  failingStarts = 0
  /** Called when the executor takes no more calls. */
  readonly ends = new Set<() => void>()
  /** Whether the program ends without `shutdown()`: workers that end are not replaced, until something is submitted again. */
  isLeaving = false
  /** Whether calls that have not started are cancelled: also those that come back unstarted. */
  discards = false
  /** Calls that have not settled: while there are any, the process stays alive. */
  unsettled = 0
  /** Those of them that a worker has started. */
  running = 0
  readonly #counts = { succeeded: 0, failed: 0, cancelled: 0, strayFrames: 0 }

  // Its organs, in the order in which a call meets them.
  readonly #admission = new Admission(this)
  readonly room = new Room(this)
  readonly hold: Hold
  readonly #dispatcher: Dispatcher
  readonly ladder = new StopLadder(this)
  readonly recycling: Recycling
  readonly renewal: Renewal
  readonly #retries = new Retries((cell) => this.#enqueue(cell))
  readonly losses = new Losses(this, (cell) => {
    this.queue.putBack(cell)
    this.#dispatcher.schedule()
  })
  readonly nested = new Nested(this)
  readonly #unseen = new Unseen()
  readonly alive = new KeepAlive()
  readonly #closing: Closing

  constructor(
    backend: Backend,
    options: ResolvedOptions,
    supervise: (engine: Engine) => Supervisor,
    waiting?: () => (() => void) | undefined
  ) {
    this.waiting = waiting
    this.backend = backend
    this.options = options
    this.hold = new Hold(this)
    const supervisor = supervise(this)
    this.#dispatcher = new Dispatcher(this, supervisor)
    this.recycling = new Recycling(this, supervisor)
    this.renewal = new Renewal(this, supervisor)
    this.#closing = new Closing(this, supervisor)
    if (options.minWorkers > 0 && !this.hold.isHeld) this.#dispatcher.schedule()
  }

  /** Expected work (ms) that workers on other machines may hold ahead in chunks of a map; 0 where all are near. */
  get farWindowMs(): number {
    let sum = 0
    for (const lane of this.lanes) if (lane.isFar && lane.window >= CHUNKS_AHEAD_FROM_MS) sum += lane.window
    return sum
  }

  /** Keys of its calls begin with it. */
  get keyPrefix(): string {
    return `${processKey()}-${this.id}`
  }

  /** The key of a call by its id. */
  keyOf(id: number): string {
    return `${this.keyPrefix}-${id}`
  }

  get hasReadyWorker(): boolean {
    for (const lane of this.lanes) if (lane.state === "ready") return true
    return false
  }

  /** Whether another worker has work, or is one of those that are always kept. */
  get wantsWorkers(): boolean {
    if (this.queue.size > 0 || this.losses.alone.size > 0) return true
    let ready = 0
    for (const lane of this.lanes) if (lane.state === "ready") ready++
    return ready < this.options.minWorkers
  }

  /** Whether its workers are threads, processes or engines: neither this thread nor the parent of this worker. */
  get startsWorkers(): boolean {
    return this.waiting === undefined && this.backend.name !== "inline"
  }

  // ---- accepting

  /** Accepts a call, or answers with a future that has already failed. Never throws. */
  submit(task: unknown, args: Array<unknown>, form: CallForm = plain): FutureCell {
    return this.#admission.submit(task, args, form)
  }

  /** The same for a task that is known to be one. */
  accept(info: TaskInfo, args: Array<unknown>, form: CallForm): FutureCell {
    return this.#admission.accept(info, args, form)
  }

  /** Takes a call in that was accepted. */
  admit(cell: FutureCell): void {
    if (this.unsettled++ === 0) this.#begin()
    tellSubmit(this, cell)
    this.#enqueue(cell)
  }

  #begin(): void {
    this.alive.hold()
    this.isLeaving = false
  }

  #enqueue(cell: FutureCell): void {
    if (this.state === "broken") return this.settle(cell, State.Failed, whyClosed(this))
    this.queue.push(cell)
    this.#dispatcher.schedule()
  }

  /** Resolves when the queue has room and the workers that are always kept are up; at once when the executor takes no more calls. */
  ready(): Promise<void> {
    this.isLeaving = false
    return this.room.ready()
  }

  /** Takes a frame about calls that somebody hands in who is no task of ours; what is to be said to that is replied. */
  receive(guest: Guest, frame: Frame): void {
    this.nested.receive(guest, frame)
  }

  // ---- handing over

  /** The caller has submitted a call, and may block its thread next. */
  startNow(): void {
    if (this.startsWorkers) this.#dispatcher.startNow()
  }

  pump(): void {
    this.#dispatcher.pump()
  }

  readonly laneEvents: LaneEvents = {
    ready: (lane) => {
      tellWorkerReady(this, lane)
      this.pump()
    },
    idle: (lane) => {
      this.recycling.look(lane)
      this.#dispatcher.refill()
    },
    outcome: (lane, cell, status, value) => this.#outcome(lane, cell, status, value),
    running: (lane, cell) => this.begin(cell, lane, performance.now()),
    output: (lane, stream, chunk) => {
      const take = lane.current?.form.output
      if (take === undefined) return passOn(lane, stream, chunk)
      take(stream, chunk)
      lane.creditOutput(stream, chunk.length)
    },
    exiting: (lane) => this.recycling.exiting(lane),
    overMemory: (lane, bytes) => this.recycling.overMemory(lane, bytes),
    loading: (_, cell) => this.ladder.limitLoading(cell),
    started: (_, cell) => this.ladder.limitRun(cell),
    leftBehind: (lane) => this.recycling.leftBehind(lane),
    returned: (_, cell) => this.takeBack(cell),
    refused: (_, cell, error) => {
      this.losses.refused(cell, error)
      // Its worker has a free slot, and nothing else would tell.
      this.#dispatcher.schedule()
    },
    nested: (lane, frame) => this.nested.receive(lane, frame),
    parked: () => this.#dispatcher.schedule(),
    dropped: () => {
      this.#counts.strayFrames++
    },
    gone: (lane, exit) => {
      this.lanes.delete(lane)
      this.losses.gone(lane, exit)
      this.nested.gone(lane)
      this.losses.exited(lane, exit)
      this.pump()
    }
  }

  /** A call that was handed over and never started keeps its turn. */
  takeBack(cell: FutureCell): void {
    const asked = this.ladder.stopped(cell)
    if (asked !== undefined) return this.settle(cell, asked.state, asked.failure)
    if (this.unstart(cell)) this.losses.putBack(cell)
  }

  /** pending ──▶ running, when it is pending: a worker has started the call. */
  begin(cell: FutureCell, lane: Lane, at: number): void {
    if (!cell.start(lane.badge, at)) return
    this.running++
    cell.form.spans?.started(cell)
    tellStart(this, cell)
  }

  /** A call in a worker's hands is pending again. Returns `false` when it has settled. */
  unstart(cell: FutureCell): boolean {
    if (cell.done()) return false
    if (cell.unstart()) this.running--
    cell.form.spans?.cameBack(cell, undefined)
    return true
  }

  // ---- settling

  #outcome(lane: Lane, cell: FutureCell, status: number, value: unknown): void {
    // Quick calls that were sent ahead are usually done when they are first seen to have started.
    const neverRan = status === Status.Interrupted && cell.ran === 0
    if (cell.code === State.Pending && !neverRan) this.begin(cell, lane, performance.now() - cell.ran)
    cell.pace?.learn(cell.ran)
    const { timeout } = cell.options
    // Judged by the run time that the worker measured, whatever the clock here says.
    if (timeout !== Infinity && cell.ran <= timeout && status !== Status.Interrupted) this.ladder.wasInTime(cell)
    const asked = this.ladder.stopped(cell)
    // The executor on the other side has recorded how the call ended, for everyone who asks.
    const isRecorded = this.backend.remote === true && status !== Status.Interrupted
    // A task that was asked to stop has been stopped, also when it returned normally meanwhile.
    if (asked !== undefined && !isRecorded) return this.end(cell, asked.state, asked.failure, false)
    if (cell.ran > timeout && this.backend.remote !== true) {
      return this.end(cell, State.Failed, timeoutOf("run", timeout), false)
    }
    if (status === Status.Succeeded) return this.#succeeded(cell, value)
    if (status === Status.Interrupted) return this.settle(cell, State.Cancelled, cancelledBy("interrupt"))
    const failure = failureOf(cell.task.definition, status, value as ErrorRecord)
    if (failure.kind === "ours") this.settle(cell, State.Failed, failure)
    else this.end(cell, State.Failed, failure, false)
  }

  #succeeded(cell: FutureCell, value: unknown): void {
    const codec = cell.form.each === undefined ? codecOf(cell.task.definition) : undefined
    if (codec === undefined) return this.settle(cell, State.Succeeded, value)
    try {
      this.settle(cell, State.Succeeded, codec.decodeSuccess(value))
    } catch (error) {
      this.end(cell, State.Failed, { kind: "threw", build: () => error }, false)
    }
  }

  /** An attempt has ended without a value: there may be another. */
  end(cell: FutureCell, state: 3 | 4, failure: Failure, lost: boolean): void {
    this.ladder.unlimit(cell)
    if (state === State.Failed && cell.lane !== undefined) this.begin(cell, cell.lane, performance.now())
    const tell = tellRetry(this, cell, failure)
    if (state === State.Failed && this.state !== "broken" && this.#retries.retry(cell, failure, lost)) {
      this.running--
      return tell?.()
    }
    this.settle(cell, state, state === State.Failed ? this.#retries.verdict(cell, failure) : failure)
  }

  settle(cell: FutureCell, state: 2 | 3 | 4, outcome: unknown): void {
    const wasRunning = cell.code === State.Running
    if (!cell.settle(state, outcome, performance.now())) return
    if (wasRunning) this.running--
    this.count(cell)
    this.unsettled--
    tellSettle(this, cell)
    cell.announce()
    if (this.unsettled > 0) return
    this.rest()
    this.#closing.drained()
  }

  /** Counts a settled call. */
  count(cell: FutureCell): void {
    if (cell.code === State.Succeeded) this.#counts.succeeded++
    else if (cell.code === State.Cancelled) this.#counts.cancelled++
    else {
      this.#counts.failed++
      this.#unseen.note(cell)
    }
  }

  seen(cell: FutureCell): void {
    this.#unseen.forget(cell)
  }

  cancel(cell: FutureCell, failure: Failure = cancelledBy("cancel")): boolean {
    const { alone, suspects } = this.losses
    const waits = this.queue.remove(cell) || this.#retries.remove(cell) || suspects.remove(cell) || alone.remove(cell)
    if (!waits && !this.#withdraw(cell)) return false
    this.settle(cell, State.Cancelled, failure)
    if (!waits) this.#dispatcher.schedule()
    this.room.tell()
    return true
  }

  /** Takes a call back that a worker has in hand and has not started. */
  #withdraw(cell: FutureCell): boolean {
    return (cell.code === State.Pending || this.backend.remote === true) && cell.lane?.withdraw(cell) === true
  }

  interrupt(cell: FutureCell, grace?: number, failure: Failure = cancelledBy("interrupt")): Promise<boolean> {
    if (this.cancel(cell, failure)) return Promise.resolve(true)
    return this.ladder.stop(cell, State.Cancelled, failure, grace)
  }

  abort(cell: FutureCell, failure: Failure): void {
    void this.interrupt(cell, undefined, failure)
  }

  /** Fails a call that has not started; does nothing to one that has. */
  expire(cell: FutureCell, failure: Failure): void {
    const { alone, suspects } = this.losses
    const waits = this.queue.remove(cell) || alone.remove(cell) || suspects.remove(cell)
    if (!waits) return this.losses.overdue(cell, failure)
    this.settle(cell, State.Failed, failure)
    this.room.tell()
  }

  // ---- ending

  /** Workers cannot start: everything that waits fails with the cause, and so does everything still to come. */
  break(cause: unknown): void {
    if (this.state === "broken" || this.state === "closed") return
    this.cause = cause
    this.state = "broken"
    this.#settlePending(State.Failed, whyClosed(this))
    this.room.tell()
    this.#announceEnd()
  }

  shutdown(options: ShutdownOptions = {}): Promise<void> {
    return this.#closing.shutdown(options)
  }

  terminate(): Promise<void> {
    return this.#closing.terminate()
  }

  /** The program has nothing left to do: the workers that are idle end. Resolves when they are gone. */
  async leave(): Promise<void> {
    this.isLeaving = true
    this.alive.hold()
    await this.#closing.endIdle()
    this.rest()
  }

  cancelPending(): void {
    this.discards = true
    for (const lane of this.lanes) for (const cell of lane.calls()) this.cancel(cell, cancelledBy("shutdown"))
    this.#settlePending(State.Cancelled, cancelledBy("shutdown"))
  }

  /** Cancels the calls that are pending now, as `cancel` does; the engine stays open. Returns how many. */
  cancelWaiting(): number {
    const failure = cancelledBy("cancel")
    let cancelled = 0
    for (const lane of this.lanes) {
      for (const cell of lane.calls()) if (cell.code === State.Pending && this.cancel(cell, failure)) cancelled++
    }
    cancelled += this.#settlePending(State.Cancelled, failure)
    this.room.tell()
    return cancelled
  }

  #settlePending(state: 3 | 4, failure: Failure): number {
    const { alone, suspects } = this.losses
    const pending = [...this.queue.drain(), ...this.#retries.drain(), ...suspects.drain(), ...alone.drain()]
    for (const cell of pending) this.settle(cell, state, failure)
    return pending.length
  }

  /** Lets the process go when nothing here needs it. */
  rest(): void {
    const isWanted = this.room.isWanted || this.renewal.isWanted || this.#closing.hasBegun
    if (this.unsettled === 0 && !isWanted) this.alive.release()
  }

  /** open ──▶ draining */
  drain(): void {
    if (this.state !== "open") return
    this.state = "draining"
    this.#announceEnd()
  }

  #announceEnd(): void {
    for (const end of Array.from(this.ends)) end()
  }

  /** The workers have ended, but for those that cannot be. */
  closed(): void {
    this.state = "closed"
    this.alive.end()
    this.#unseen.warn(this.options.name)
    this.losses.warn(this.options.name)
  }

  /** Reads what the workers have started by now. */
  look(): void {
    for (const lane of this.lanes) lane.look()
  }

  get stats(): ExecutorStats {
    const { cancelled, failed, strayFrames, succeeded } = this.#counts
    const pending = this.unsettled - this.running
    const { losses: { forced }, running } = this
    return { pending, running, succeeded, failed, cancelled, workers: this.lanes.size, strayFrames, forced }
  }
}
