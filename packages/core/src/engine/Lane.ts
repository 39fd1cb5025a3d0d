/**
 * One worker, seen from the parent: what is in its hands, what it knows, whether it lives.
 *
 * ```
 * starting ──▶ ready ──▶ stopping ──▶ gone
 * starting ──▶ gone                        it never came up
 * ready ──▶ gone                           it died
 * ready | stopping ──▶ lost ──▶ gone       it was to be ended and did not end
 * ```
 *
 * A lane has one life and one generation: a worker that is replaced is another lane.
 */
import type { Backend, Link, LinkExit, RemotePlace, SentCalls, SpawnSpec } from "../Backend.ts"
import { describe } from "../ExecutorError.ts"
import type { WorkerExit } from "../options.ts"
import { clearTimeout, queueMicrotask, setTimeout } from "../timers.ts"
import type { ErrorRecord } from "../wire/error.ts"
import {
  callEnd,
  HEADER,
  itemsStarted,
  Kind,
  LEASED,
  OUTCOME_STRIDE,
  OUTPUT_WINDOW_BYTES,
  Status,
  WIRE_VERSION
} from "../wire/frames.ts"
import type { Frame, Setup } from "../wire/frames.ts"
import { monotonic } from "../wire/monotonic.ts"
import { areItemOutcomes, isWellFormed } from "../wire/wellFormed.ts"
import type { RanBy } from "./Call.ts"
import type { FutureCell } from "./FutureCell.ts"
import { farWorkOf, Hands } from "./Hands.ts"
import { publishNotice } from "./notices.ts"
import { Outbox, wireIds } from "./Outbox.ts"
import { BUDGET, LEASE } from "./Pace.ts"
import { Reports } from "./Reports.ts"
import { sendEach } from "./sendEach.ts"

/** Frames to a far worker hold this much expected work (ms), or one call: the place takes them apart by frames. */
const PARCEL_MS = 0.5
/** And this many calls, at most. */
const PARCEL_CALLS = 128

/** What every worker is told, except its name. */
export type LaneSetup = Omit<Setup, "version" | "workerId" | "number">

export type LaneState = "starting" | "ready" | "stopping" | "lost" | "gone"

/** What a lane tells the engine. */
export interface LaneEvents {
  readonly ready: (lane: Lane) => void
  readonly outcome: (lane: Lane, cell: FutureCell, status: number, value: unknown) => void
  /** All outcomes of a frame have been told: the lane may have room. */
  readonly idle: (lane: Lane) => void
  readonly output: (lane: Lane, stream: 1 | 2, chunk: Uint8Array | string) => void
  /** The worker uses more memory than it may. */
  readonly overMemory: (lane: Lane, bytes: number) => void
  /** The worker exits by itself: it has reported everything, and runs its exit hooks. */
  readonly exiting: (lane: Lane) => void
  /** A call that has settled has left an error behind. */
  readonly leftBehind: (lane: Lane) => void
  /** The worker loads the module of the call's task. */
  readonly loading: (lane: Lane, cell: FutureCell) => void
  /** The worker has called the task's function. */
  readonly started: (lane: Lane, cell: FutureCell) => void
  /** A call that was sent ahead has been started. */
  readonly running: (lane: Lane, cell: FutureCell) => void
  /** A call that the worker did not start, and will not. */
  readonly returned: (lane: Lane, cell: FutureCell) => void
  /** A call that cannot be sent to a worker, and why. */
  readonly refused: (lane: Lane, cell: FutureCell, error: unknown) => void
  /** A frame about calls that tasks on the worker handed in themselves. */
  readonly nested: (lane: Lane, frame: Frame) => void
  /** A call gave its slot back, or took it again. */
  readonly parked: (lane: Lane) => void
  /** A frame, or an outcome in one, that belongs to nothing here. */
  readonly dropped: (lane: Lane) => void
  readonly gone: (lane: Lane, exit: LinkExit) => void
}

export class Lane {
  readonly executor: number
  readonly generation: number
  /** Smallest number that no other worker of the executor had when it was made, from 0. */
  readonly number: number
  state: LaneState = "starting"
  readonly #hands = new Hands()
  readonly #outbox: Outbox
  /** Looks after calls that are to be started soon. */
  #leases: NodeJS.Timeout | undefined
  #link: Link | undefined
  #badge: RanBy | undefined
  /** Calls that the worker runs at a time. */
  #slots = 1
  /** Whether the mark has been read since the code that runs now began: what that code sees does not change under it. */
  #hasLooked = false
  /** Its place on another machine, if it has one. */
  place: RemotePlace | undefined
  /** Whether it was asked for calls back and has not answered. */
  isAskedBack = false
  /** The calls that are collected for a far worker: how many, and what a link must know of them. */
  readonly #collected: { -readonly [Key in keyof SentCalls]: SentCalls[Key] } & { count: number } = {
    count: 0,
    first: 0,
    last: 0,
    isAhead: false,
    expectedMs: 0
  }
  /** Whether we asked it to end. */
  ended = false
  /** Whether we ended it by force, once it had come up. */
  forced = false
  /** Whether it ends once it has no calls, for whatever reason except the number of its calls. */
  #isRetired = false
  /** Whether it holds, or has run, as many calls as it may. One that is given back counts no more. */
  isFull = false
  /** Whether it takes no more calls for now, since a call is to run alone on it. */
  isReserved = false
  /** Whether it was ended because it used too much memory. */
  outOfMemory = false
  /** Calls it took in its life. */
  taken = 0
  /** Since when it has had nothing to do. */
  idleSince = 0
  /** An uncaught error of a call that had settled, as the worker reported it. */
  leftBehind: { readonly record: ErrorRecord; readonly call: WorkerExit["leftBehindBy"] } | undefined
  /** The uncaught error that the worker reported before it ended. */
  fatal: ErrorRecord | undefined
  /** Why it cannot be trusted any more. */
  fault: unknown
  /** Whether the worker, before it ended, told of everything that it had done. */
  lastWords = false
  /** The exit code that it named then. */
  #exitCode: number | undefined
  /** Whether it took too long to exit, and was ended. */
  #isHung = false
  /** Ends it when it takes too long to exit. */
  exitTimer: NodeJS.Timeout | undefined
  /** Output of stdout and stderr that was taken and not granted again yet. */
  readonly #granted: [number, number] = [0, 0]
  readonly #events: LaneEvents

  constructor(executor: number, generation: number, number: number, backend: Backend, events: LaneEvents) {
    this.executor = executor
    this.generation = generation
    this.number = number
    this.#outbox = new Outbox(executor, generation, backend)
    this.#events = events
  }

  /** Whether it takes no more calls and ends once it has none. */
  get retiring(): boolean {
    return this.#isRetired || this.isFull
  }

  /** Whether it takes calls. */
  get isOpen(): boolean {
    return this.state === "ready" && !this.isReserved && !this.retiring
  }

  /** It takes no more calls. */
  retire(): void {
    this.#isRetired = true
  }

  get workerId(): number | string | undefined {
    return this.#link?.workerId
  }

  /** What calls that it runs keep of it, since they outlive it. */
  get badge(): RanBy {
    return this.#badge ??= { workerId: this.workerId, number: this.number, place: this.place }
  }

  /** Gives birth to the worker; a backend that throws is a worker that ended at once. */
  open(backend: Backend, spec: SpawnSpec, setup: LaneSetup): void {
    this.#slots = setup.concurrency
    try {
      this.#link = backend.spawn(spec, {
        frame: (frame) => this.#receive(frame),
        exit: (exit) => this.#exited(exit),
        recall: () => this.#recalled(),
        returned: (from, to, isLate) => this.#returned(from, to, isLate),
        marked: () => {
          this.look()
          // What has started waits no more: there may be capacity for another.
          this.#events.parked(this)
        }
      })
    } catch (error) {
      return this.#exited({ error })
    }
    this.place = this.#link.remote
    if (this.place === undefined) return this.#greet(setup)
    this.#outbox.define = (...task) => this.#send([Kind.Task, this.executor, this.generation, ...task])
    void this.place.placed.then(() => this.#greet(setup))
  }

  #greet(setup: LaneSetup): void {
    const own = { version: WIRE_VERSION, workerId: this.workerId, number: this.number, ...setup } satisfies Setup
    try {
      this.#send([Kind.Hello, this.executor, this.generation, own])
    } catch (error) {
      // Arguments of the initializer that are too large.
      this.fault = error
      this.kill()
    }
  }

  #recalled(): void {
    this.#isRetired = true
    this.#events.idle(this)
  }

  /** Whether its worker is on another machine, which holds the calls that are sent ahead. */
  get isFar(): boolean {
    return this.place !== undefined
  }

  /** Expected work (ms) that it may hold ahead. */
  get window(): number {
    return this.place?.window() ?? BUDGET
  }

  /** Expected work (ms) beyond the calls that it runs. */
  get ahead(): number {
    return this.#hands.ahead(this.#slots)
  }

  /** Whether so much is held ahead that it is still there when the question arrives. */
  get isWorthAsking(): boolean {
    return this.state === "ready" && !this.isAskedBack && this.ahead > this.window
  }

  /** Calls that it holds and that are not known to have started. */
  get unstartedCount(): number {
    return this.#hands.load - this.#hands.running
  }

  /** Asks for some of the calls that it holds ahead. */
  askBack(): void {
    this.isAskedBack = true
    this.place!.giveBack()
  }

  /** How many bytes have been received of a frame that is not complete yet. */
  get arriving(): number {
    return this.#link?.arriving?.() ?? 0
  }

  /** How many calls it has in hand that hold a slot. */
  get load(): number {
    return this.#hands.load
  }

  /** Whether nothing is in its hands. */
  get idle(): boolean {
    return this.#hands.isEmpty
  }

  /**
   * Whether it should be given calls beyond its slots: when it has little left to do, and only where the worker can tell, after its death, which calls it
   * had started.
   */
  get isHungry(): boolean {
    if (!this.isOpen || this.#link?.started === undefined) return false
    return this.place === undefined ? this.#hands.isHungry : this.#hands.isHungryFar(this.place.window(), this.#slots)
  }

  /** Whether it may take a call that is worth so much beyond its slots. */
  hasRoom(cost: number): boolean {
    const { place } = this
    return place === undefined
      ? this.#hands.hasRoom(cost)
      : this.#hands.hasRoomFar(cost, place.window(), this.#slots, place.mostCalls())
  }

  /** Takes a call; it is sent with the next `flush`. `deadline`: until when it is to be started or given back, 0 for one that holds a slot. */
  take(cell: FutureCell, cost: number, deadline: number): void {
    const { place } = this
    const work = place === undefined ? cost : farWorkOf(cell, cost, place.window())
    if (place !== undefined) this.#cut(deadline !== 0, work)
    else if (deadline !== 0) this.#watchLeases()
    this.#hands.take(cell, cost, deadline, work)
    cell.lane = this
    this.taken++
    if (place !== undefined) this.#collect(this.#hands.idOf(cell), deadline !== 0, work)
    this.#outbox.add(cell, this.#hands.idOf(cell), deadline)
  }

  flush(): void {
    const parcel = this.#outbox.take()
    if (parcel === undefined) return
    const { frame, transfers } = parcel
    let isSent: boolean
    try {
      isSent = this.place === undefined
        ? this.#send(frame, transfers)
        : this.#link?.send(frame, transfers, this.#collected) === true
    } catch (error) {
      return this.#sendEach(frame, error)
    }
    this.#collected.count = 0
    if (isSent) return
    this.#isDeaf()
    for (const wireId of wireIds(parcel)) this.#giveBack(this.#hands.find(wireId))
  }

  /** The worker hears no more, and its end is near: what never left goes to another. */
  #isDeaf(): void {
    this.#isRetired = true
  }

  /** A frame could not be sent, since it is too long or cannot be serialized: calls that cannot be sent alone either fail. */
  #sendEach(frame: Frame, cause: unknown): void {
    const { count, expectedMs, isAhead } = this.#collected
    this.#collected.count = 0
    const isOne = callEnd(frame, HEADER) === frame.length
    const unknown = sendEach(frame, (wireId, one) => {
      const cell = this.#hands.find(wireId)
      if (cell === undefined) return false
      try {
        if (isOne) throw cause
        const sent = { first: wireId as number, last: wireId as number, isAhead, expectedMs: expectedMs / count }
        if (this.#link?.send(one, cell.transfers ?? [], sent) === true) return true
        this.#isDeaf()
        this.#giveBack(cell)
      } catch (error) {
        this.#letGo(cell)
        this.#events.refused(this, cell, error)
      }
      return false
    })
    this.#outbox.forget(unknown)
  }

  /** A frame to a far worker holds little work, all of it ahead or none: so that its place can give the rest back without reading frames. */
  #cut(isAhead: boolean, work: number): void {
    const { count, expectedMs, isAhead: wasAhead } = this.#collected
    if (count === 0) return
    if (isAhead !== wasAhead || count >= PARCEL_CALLS || expectedMs + work > PARCEL_MS) this.flush()
  }

  #collect(wireId: number, isAhead: boolean, work: number): void {
    const collected = this.#collected
    if (collected.count++ === 0) {
      collected.first = wireId
      collected.isAhead = isAhead
      collected.expectedMs = 0
    }
    collected.last = wireId
    collected.expectedMs += work
  }

  /** A far worker will not start these. */
  #returned(from: number, to: number, isLate: boolean): void {
    this.isAskedBack = false
    if (isLate) this.#hands.late = true
    for (const cell of this.#hands.leased(from, to)) this.#giveBack(cell)
    this.#events.idle(this)
  }

  #giveBack(cell: FutureCell | undefined): void {
    if (cell === undefined) return
    this.#letGo(cell)
    this.#events.returned(this, cell)
  }

  /** The worker never had the call. */
  #letGo(cell: FutureCell): void {
    this.#hands.letGo(cell)
    this.taken--
    this.isFull = false
  }

  #watchLeases(): void {
    if (this.#leases !== undefined) return
    this.#leases = setTimeout(() => {
      this.#leases = undefined
      this.#takeBackExpired()
    }, LEASE * 1.5)
  }

  /**
   * Takes back what the worker has not started within its lease: something else keeps it longer than was expected. What is not marked by now will not
   * be started, since the worker looks at the deadline once more after it has marked a call.
   */
  #takeBackExpired(): void {
    const now = monotonic()
    this.look()
    let leased = this.#hands.load > this.#hands.running
    for (const cell of this.#hands.unstarted(this.#link?.started?.() ?? 0)) {
      const deadline = this.#hands.deadlineOf(cell)
      if (deadline === 0) continue
      if (deadline > now) leased = true
      else {
        this.#hands.late = true
        this.#giveBack(cell)
      }
    }
    if (leased) this.#watchLeases()
    this.#events.idle(this)
  }

  /**
   * Reads which calls the worker has started. Never more than it has slots: the outcome of an earlier call may be on its way.
   */
  look(): void {
    const hands = this.#hands
    if (this.#hasLooked || hands.load === hands.running || hands.running >= this.#slots) return
    const mark = this.#link?.started?.()
    if (mark === undefined) return
    this.#hasLooked = true
    queueMicrotask(() => this.#hasLooked = false)
    const now = monotonic()
    while (hands.running < this.#slots) {
      const cell = hands.nextStarted(mark, now)
      if (cell === undefined) return
      this.#started(cell)
    }
  }

  /** A call has been started by the worker, or is known by its outcome to have been. */
  #started(cell: FutureCell): void {
    this.#hands.start(cell)
    this.#events.running(this, cell)
  }

  /** Takes a call back that the worker has not started, where that can be told. Returns `false` for one that may have been started. */
  withdraw(cell: FutureCell): boolean {
    if (this.#link?.withdraw?.(this.#hands.idOf(cell)) !== true) return false
    this.#letGo(cell)
    return true
  }

  /** Asks a call to stop. `reason`: what its caller gave. */
  interrupt(cell: FutureCell, grace: number | undefined, reason: ErrorRecord | undefined): void {
    const wireId = this.#hands.idOf(cell)
    if (this.#hands.deadlineOf(cell) === LEASED) {
      this.flush()
      // Where the worker has it already, the place lets it see the request.
      this.place?.giveBack(wireId)
    } else {
      // A task that computes reads no frame.
      this.#link?.requestStop?.(wireId)
    }
    this.reply(Kind.Interrupt, wireId, grace, reason)
  }

  /** Sends a frame now, after the calls that were taken before it. */
  reply(kind: number, ...body: ReadonlyArray<unknown>): void {
    this.flush()
    this.#send([kind, this.executor, this.generation, ...body])
  }

  /** Lets a generator task yield so many more items. */
  credit(cell: FutureCell, items: number): void {
    this.reply(Kind.Credit, this.#hands.idOf(cell), items)
  }

  /** Lets the worker write more. In portions, so that one frame grants several chunks; a worker never waits for less than two of them. */
  creditOutput(stream: 1 | 2, size: number): void {
    const granted = this.#granted[stream - 1]! + size
    const isPortion = granted >= OUTPUT_WINDOW_BYTES / 4
    this.#granted[stream - 1] = isPortion ? 0 : granted
    if (isPortion) this.reply(Kind.OutputCredit, stream, granted)
  }

  /** Asks the worker to end by itself: it has nothing left to do. */
  stop(): void {
    if (this.state !== "ready" && this.state !== "starting") return
    this.state = "stopping"
    this.ended = true
    this.#send([Kind.Stop, this.executor, this.generation])
  }

  /** Waits, blocking, until it has exited or so many milliseconds are over. Returns whether it has; `undefined` where it need not be waited for. */
  waitForExit(timeoutMs: number): boolean | undefined {
    return this.#link?.waitForExit?.(timeoutMs)
  }

  /** Ends the worker now. */
  kill(): void {
    if (this.state === "gone") return
    if (this.state !== "starting") this.forced = true
    if (this.state !== "lost") this.state = "stopping"
    this.ended = true
    this.#link?.kill()
  }

  /** Ends a worker now that exits by itself and takes too long. */
  endExit(): void {
    if (this.state === "gone") return
    this.forced = this.#isHung = true
    this.#link?.kill()
  }

  /** It was to be ended and did not: nothing more is expected of it. */
  abandon(): void {
    if (this.state !== "gone") this.state = "lost"
  }

  /** The calls in its hands, oldest first. */
  calls(): Array<FutureCell> {
    return this.#hands.all()
  }

  /** The call that runs, where one runs at a time. */
  get current(): FutureCell | undefined {
    return this.#hands.current
  }

  /** The call that a wire id names, if it is in the worker's hands. */
  inHand(wireId: unknown): FutureCell | undefined {
    return this.#hands.find(wireId)
  }

  /** The calls in its hands that it never started, oldest first; known once it is gone. */
  unstarted(): Array<FutureCell> {
    const started = this.#link?.started?.()
    return started === undefined ? [] : this.#hands.unstarted(started)
  }

  /** How many items of a chunk may have run, when the worker is gone and that is known. */
  begun(cell: FutureCell): number | undefined {
    const started = this.#link?.started?.()
    return started === undefined ? undefined : itemsStarted(started, this.#hands.idOf(cell))
  }

  /** Whether it was sent calls of tasks of a module. */
  hasLoaded(module: string): boolean {
    return this.#outbox.hasSent(module)
  }

  /** Lets go of all calls. */
  release(): void {
    clearTimeout(this.#leases)
    this.#hands.letGoOfAll()
    this.#outbox.take()
  }

  #send(frame: Frame, transfers: ReadonlyArray<ArrayBuffer> = []): boolean {
    return this.#link?.send(frame, transfers) ?? false
  }

  #receive(frame: Frame): void {
    if (this.state === "gone") return
    if (!Array.isArray(frame) || frame[1] !== this.executor || frame[2] !== this.generation) {
      return this.#events.dropped(this)
    }
    if (!isWellFormed(frame)) return this.#misbehaved(frame)
    switch (frame[0]) {
      case Kind.Ready:
        if (this.state !== "starting") return this.#events.dropped(this)
        this.state = "ready"
        this.#events.ready(this)
        // Recalled while it started: nothing else would look at it.
        if (this.retiring) this.#events.idle(this)
        return
      case Kind.Outcomes:
        for (let at = HEADER; at + OUTCOME_STRIDE <= frame.length; at += OUTCOME_STRIDE) {
          if (!this.#answer(frame[at], frame[at + 1], frame[at + 2], frame[at + 3])) return this.#misbehaved(frame)
        }
        return this.#events.idle(this)
      case Kind.Output:
        return this.#events.output(this, frame[HEADER], frame[HEADER + 1])
      case Kind.Progress: {
        const cell = this.inHand(frame[HEADER])
        if (cell === undefined) return this.#events.dropped(this)
        this.#started(cell)
        cell.form.progress?.(frame[HEADER + 1])
        return (cell.reports ??= new Reports(cell)).report(frame[HEADER + 1])
      }
      case Kind.Items: {
        const cell = this.inHand(frame[HEADER])
        if (cell?.form.sink === undefined) return this.#events.dropped(this)
        const items = frame[HEADER + 1]
        if (cell.form.each === undefined ? !Array.isArray(items) : !areItemOutcomes(items)) {
          return this.#misbehaved(frame)
        }
        this.#started(cell)
        const size = frame[HEADER + 2]
        return cell.form.sink(items as ReadonlyArray<unknown>, typeof size === "number" ? size : undefined)
      }
      case Kind.Loading:
      case Kind.Started: {
        const cell = this.inHand(frame[HEADER])
        if (cell === undefined || !this.#hands.reaches(cell, frame[0])) return this.#events.dropped(this)
        this.#started(cell)
        if (frame[0] === Kind.Loading) return this.#events.loading(this, cell)
        return this.#events.started(this, cell)
      }
      case Kind.Calls:
      case Kind.Interrupt:
      case Kind.Credit:
        return this.#events.nested(this, frame)
      case Kind.Park:
      case Kind.Unpark: {
        const cell = this.inHand(frame[HEADER])
        if (cell === undefined) return this.#events.dropped(this)
        this.#started(cell)
        this.#hands.park(cell, frame[0] === Kind.Park)
        cell.pace?.parks()
        return this.#events.parked(this)
      }
      case Kind.Last:
        if (typeof frame[HEADER] === "number") this.#exitCode = frame[HEADER]
        if (this.lastWords) return
        this.lastWords = true
        return this.#events.exiting(this)
      case Kind.LeftBehind: {
        const [record, id, label] = frame.slice(HEADER)
        this.leftBehind ??= { record, call: { id, label } }
        return this.#events.leftBehind(this)
      }
      case Kind.Notice:
        return publishNotice(frame[HEADER] as string)
      case Kind.Memory:
        return this.#events.overMemory(this, frame[HEADER])
      case Kind.Fatal:
        this.fatal = frame[HEADER]
        return
      default:
        return this.#events.dropped(this)
    }
  }

  /** The worker says what no worker of ours says: nothing that it says can be trusted any more. */
  #misbehaved(frame: Frame): void {
    this.#events.dropped(this)
    this.fault ??= new TypeError(`The worker sent a frame of kind ${describe(frame[0])} that has not the shape of one`)
    this.#link?.kill()
  }

  /** Takes one outcome. Answers `false` for one that no worker of ours gives. */
  #answer(wireId: unknown, status: Status, value: unknown, ran: number): boolean {
    const cell = this.#hands.find(wireId)
    if (status === Status.Returned) {
      // One that was not started in time may have been taken back already.
      this.#hands.late = true
      this.#giveBack(cell)
      return true
    }
    if (cell === undefined) {
      // It is stale, or said twice.
      this.#events.dropped(this)
      return true
    }
    if (cell.form.each !== undefined && status === Status.Succeeded && !areItemOutcomes(value)) return false
    this.#hands.letGo(cell)
    cell.ran = ran
    this.#events.outcome(this, cell, status, value)
    return true
  }

  #exited(exit: LinkExit): void {
    if (this.state === "gone") return
    this.state = "gone"
    clearTimeout(this.exitTimer)
    const exitCode = this.#exitCode
    // One that hung while it exited was ended by us, or by what runs it.
    const wasEnded = this.#isHung || exit.signal === "SIGKILL"
    this.#events.gone(this, exitCode !== undefined && wasEnded ? { ...exit, exitCode, signal: undefined } : exit)
  }
}
