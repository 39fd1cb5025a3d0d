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
import type { Backend, Link, LinkExit, SpawnSpec } from "../Backend.ts"
import { describe } from "../ExecutorError.ts"
import type { ErrorRecord } from "../wire/error.ts"
import {
  CALL_STRIDE,
  HEADER,
  Kind,
  OUTCOME_STRIDE,
  SLOTS,
  Status,
  STREAM_WINDOW,
  WIRE_VERSION
} from "../wire/frames.ts"
import type { CallMeta, Frame, RemoteOptions, Setup, TaskReference } from "../wire/frames.ts"
import { monotonic } from "../wire/monotonic.ts"
import { captureArgs } from "../wire/value.ts"
import { areItemOutcomes, isWellFormed } from "../wire/wellFormed.ts"
import type { TaskDefinition } from "../worker/registry.ts"
import type { FutureCell } from "./FutureCell.ts"
import { BUDGET, LEASE, MOST } from "./Pace.ts"
import { Reports } from "./Reports.ts"

export type LaneState = "starting" | "ready" | "stopping" | "lost" | "gone"

/** What a lane tells the engine. */
export interface LaneEvents {
  readonly ready: (lane: Lane) => void
  readonly outcome: (lane: Lane, cell: FutureCell, status: number, value: unknown) => void
  /** All outcomes of a frame have been told: the lane may have room. */
  readonly idle: (lane: Lane) => void
  readonly output: (stream: 1 | 2, chunk: Uint8Array | string) => void
  /** The worker uses more memory than it may. */
  readonly overMemory: (lane: Lane, bytes: number) => void
  /** A call that the worker did not start, and will not. */
  readonly returned: (lane: Lane, cell: FutureCell) => void
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
  /** Whether the other side queues calls itself. */
  readonly remote: boolean
  state: LaneState = "starting"
  /** Calls handed over and not yet answered, by slot. */
  readonly #calls: Array<FutureCell | undefined> = []
  readonly #freeSlots: Array<number> = []
  #turn = 0
  /** How many `#calls` there are that hold a slot. */
  load = 0
  /**
   * Whether it gave calls back, or they were taken back. The worker then gives back every call beyond its slots until it comes to one that holds a slot, so
   * that calls start in order: more would only go to and fro.
   */
  #late = false
  /** Milliseconds of expected work in its hands. */
  #expected = 0
  /** Calls that wait for calls of their own and gave their slot back meanwhile. */
  readonly #parked = new Set<FutureCell>()
  /** Index of each task that the worker was told of. */
  readonly #known = new Map<TaskDefinition, number>()
  /** Calls taken since the last flush: the frame that will be sent. */
  #batch: Array<unknown> | undefined
  #transfers: Array<ArrayBuffer> = []
  /** Looks after calls that are to be started soon. */
  #leases: NodeJS.Timeout | undefined
  #link: Link | undefined
  /** Whether we asked it to end. */
  ended = false
  /** Whether it takes no more calls and ends once it has none. */
  retiring = false
  /** Whether it was ended because it used too much memory. */
  outOfMemory = false
  /** Calls it took in its life. */
  taken = 0
  /** Since when it has had nothing to do. */
  idleSince = 0
  /** The uncaught error that the worker reported before it ended. */
  fatal: ErrorRecord | undefined
  /** Why it cannot be trusted any more. */
  fault: unknown
  /** Whether the worker, before it ended, told of everything that it had done. */
  lastWords = false
  /** Whether that error is the initializer's. */
  initializerFailed = false
  readonly #events: LaneEvents

  constructor(executor: number, generation: number, remote: boolean, events: LaneEvents) {
    this.remote = remote
    this.executor = executor
    this.generation = generation
    this.#events = events
  }

  get workerId(): number | string | undefined {
    return this.#link?.workerId
  }

  /** Gives birth to the worker; a backend that throws is a worker that ended at once. */
  open(backend: Backend, spec: SpawnSpec, setup: Omit<Setup, "version" | "workerId">): void {
    try {
      this.#link = backend.spawn(spec, { frame: (frame) => this.#receive(frame), exit: (exit) => this.#exited(exit) })
    } catch (error) {
      return this.#exited({ error })
    }
    this.#send([
      Kind.Hello,
      this.executor,
      this.generation,
      { version: WIRE_VERSION, workerId: this.#link.workerId, ...setup } satisfies Setup
    ])
  }

  /**
   * Whether it may take a call: while it has a free slot, always; beyond that, while what is in its hands is little work, and only where the worker can
   * tell, after its death, which calls it had started.
   */
  hasRoom(cell: FutureCell, concurrency: number): boolean {
    if (this.load < concurrency) return true
    if (this.#late) return false
    return this.load < MOST && this.#link?.started !== undefined && this.#expected + costOf(cell) <= BUDGET
  }

  /** Takes a call; it is sent with the next `flush`. `leased`: it takes it beyond its slots, to be started soon or given back. */
  take(cell: FutureCell, leased: boolean): void {
    const deadline = leased ? monotonic() + LEASE : 0
    cell.deadline = deadline
    if (!leased) this.#late = false
    if (leased) this.#watchLeases()
    const slot = this.#freeSlots.pop() ?? this.#calls.length
    this.#calls[slot] = cell
    this.load++
    this.taken++
    cell.cost = costOf(cell)
    this.#expected += cell.cost
    cell.lane = this
    cell.wireId = this.#turn++ * SLOTS + slot
    this.#batch ??= [Kind.Calls, this.executor, this.generation]
    this.#batch.push(
      cell.wireId,
      cell.id,
      this.#reference(cell.task.definition),
      argsOf(cell),
      deadline,
      this.#meta(cell)
    )
    if (cell.transfers !== undefined) { for (const buffer of cell.transfers) this.#transfers.push(buffer) }
  }

  flush(): void {
    if (this.#batch === undefined) return
    const frame = this.#batch
    const transfers = this.#transfers
    this.#batch = undefined
    if (transfers.length > 0) this.#transfers = []
    if (this.#send(frame, transfers)) return
    // It hears no more, and its end is near: what never left goes to another.
    this.retiring = true
    for (let at = HEADER; at < frame.length; at += CALL_STRIDE) {
      const cell = this.inHand(frame[at])
      if (cell === undefined) continue
      this.#letGo(cell)
      this.#events.returned(this, cell)
    }
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
    const started = this.#link?.started?.() ?? 0
    let leased = false
    for (const cell of this.calls()) {
      if (cell.deadline === 0 || turnOf(cell) < started) continue
      if (cell.deadline > now) leased = true
      else {
        this.#late = true
        this.#letGo(cell)
        this.#events.returned(this, cell)
      }
    }
    if (leased) this.#watchLeases()
    this.#events.idle(this)
  }

  #letGo(cell: FutureCell): void {
    const slot = cell.wireId % SLOTS
    this.#calls[slot] = undefined
    this.#freeSlots.push(slot)
    cell.lane = undefined
    if (!this.#parked.delete(cell)) this.load--
    // Sums of fractions drift: an empty hand is empty.
    this.#expected = this.load === 0 ? 0 : this.#expected - cell.cost
  }

  /** Asks a call to stop. */
  interrupt(cell: FutureCell, grace?: number): void {
    this.reply(Kind.Interrupt, cell.wireId, grace)
  }

  /** Sends a frame now, after the calls that were taken before it. */
  reply(kind: number, ...body: ReadonlyArray<unknown>): void {
    this.flush()
    this.#send([kind, this.executor, this.generation, ...body])
  }

  /** Lets a generator task yield so many more items. */
  credit(cell: FutureCell, items: number): void {
    this.reply(Kind.Credit, cell.wireId, items)
  }

  /** Asks the worker to end by itself: it has nothing left to do. */
  stop(): void {
    if (this.state !== "ready" && this.state !== "starting") return
    this.state = "stopping"
    this.ended = true
    this.#send([Kind.Stop, this.executor, this.generation])
  }

  /** Ends the worker now. */
  kill(): void {
    if (this.state === "gone") return
    if (this.state !== "lost") this.state = "stopping"
    this.ended = true
    this.#link?.kill()
  }

  /** It was to be ended and did not: nothing more is expected of it. */
  abandon(): void {
    if (this.state !== "gone") this.state = "lost"
  }

  /** Whether nothing is in its hands. */
  get idle(): boolean {
    return this.load === 0 && this.#parked.size === 0
  }

  /** The calls in its hands, oldest first. */
  calls(): Array<FutureCell> {
    return this.#calls.filter((cell) => cell !== undefined).toSorted((a, b) => a.wireId - b.wireId)
  }

  /** The calls in its hands that it never started, oldest first; known once it is gone. */
  unstarted(): Array<FutureCell> {
    const started = this.#link?.started?.()
    if (started === undefined) return []
    return this.calls().filter((cell) => turnOf(cell) >= started)
  }

  /** Lets go of all calls. */
  release(): void {
    clearTimeout(this.#leases)
    for (const cell of this.#calls) if (cell?.lane === this) cell.lane = undefined
    this.#calls.length = 0
    this.#freeSlots.length = 0
    this.#parked.clear()
    this.#expected = 0
    this.#batch = undefined
    this.load = 0
  }

  #send(frame: Frame, transfers: ReadonlyArray<ArrayBuffer> = []): boolean {
    return this.#link?.send(frame, transfers) ?? false
  }

  #reference(definition: TaskDefinition): TaskReference {
    const known = this.#known.get(definition)
    if (known !== undefined) return known
    const index = this.#known.size
    this.#known.set(definition, index)
    return [index, definition.module, definition.name]
  }

  #meta(cell: FutureCell): number | CallMeta {
    const { each, parent, sink, trace } = cell.form
    const plain = each === undefined && sink === undefined && trace === undefined && parent === undefined
    const label = cell.task.options?.label
    if (plain && label === undefined && cell.context === undefined && !this.remote) return cell.attempt
    return {
      attempt: cell.attempt,
      each,
      window: sink === undefined || each !== undefined ? 0 : STREAM_WINDOW,
      context: cell.context,
      label,
      trace,
      parent,
      options: this.remote ? remoteOptions(cell) : undefined
    }
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
        return this.#events.ready(this)
      case Kind.Outcomes:
        for (let at = HEADER; at + OUTCOME_STRIDE <= frame.length; at += OUTCOME_STRIDE) {
          if (!this.#answer(frame[at], frame[at + 1], frame[at + 2], frame[at + 3])) return this.#misbehaved(frame)
        }
        return this.#events.idle(this)
      case Kind.Output:
        return this.#events.output(frame[HEADER], frame[HEADER + 1])
      case Kind.Progress: {
        const cell = this.inHand(frame[HEADER])
        if (cell === undefined) return this.#events.dropped(this)
        return (cell.reports ??= new Reports(cell)).report(frame[HEADER + 1])
      }
      case Kind.Items: {
        const cell = this.inHand(frame[HEADER])
        if (cell?.form.sink === undefined) return this.#events.dropped(this)
        if (cell.form.each !== undefined && !areItemOutcomes(frame[HEADER + 1])) return this.#misbehaved(frame)
        return cell.form.sink(frame[HEADER + 1])
      }
      case Kind.Calls:
      case Kind.Interrupt:
      case Kind.Credit:
        return this.#events.nested(this, frame)
      case Kind.Park:
      case Kind.Unpark: {
        const cell = this.inHand(frame[HEADER])
        if (cell === undefined) return this.#events.dropped(this)
        this.#park(cell, frame[0] === Kind.Park)
        return this.#events.parked(this)
      }
      case Kind.Last:
        this.lastWords = true
        return
      case Kind.Memory:
        return this.#events.overMemory(this, frame[HEADER])
      case Kind.Fatal:
        this.initializerFailed = this.state === "starting" && frame[HEADER + 1] === true
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
    const cell = this.inHand(wireId)
    if (cell === undefined) {
      // A call that was not started in time was taken back already; everything else is stale, or said twice.
      if (status === Status.Returned) this.#late = true
      else this.#events.dropped(this)
      return true
    }
    if (cell.form.each !== undefined && status === Status.Succeeded && !areItemOutcomes(value)) return false
    this.#letGo(cell)
    cell.ran = ran
    if (status === Status.Returned) {
      this.#late = true
      this.#events.returned(this, cell)
    } else this.#events.outcome(this, cell, status, value)
    return true
  }

  /** The call that a wire id names, if it is in the worker's hands. */
  inHand(wireId: unknown): FutureCell | undefined {
    const cell = typeof wireId === "number" ? this.#calls[wireId % SLOTS] : undefined
    return cell?.wireId === wireId ? cell : undefined
  }

  #park(cell: FutureCell, parks: boolean): void {
    if (parks === this.#parked.has(cell)) return
    if (parks) this.#parked.add(cell)
    else this.#parked.delete(cell)
    this.load += parks ? -1 : 1
  }

  #exited(exit: LinkExit): void {
    if (this.state === "gone") return
    this.state = "gone"
    this.#events.gone(this, exit)
  }
}

/** What a call is worth of a worker's budget: all of it, when nothing is known, or when it is no single call. */
const costOf = ({ form, options, pace, transfers }: FutureCell): number => {
  const single = form.each === undefined && form.sink === undefined && form.alone === undefined
  // What is moved cannot be taken back, and a queue clock or a signal must find the call while it waits.
  const free = transfers === undefined && options.queueTimeout === Infinity && options.signal === undefined
  return single && free && pace !== undefined ? pace.cost : BUDGET
}

/** A call that may be tried again keeps its arguments as they were handed in: where values do not cross any border, an attempt might change them. */
const argsOf = ({ args, options }: FutureCell): ReadonlyArray<unknown> => {
  if (options.retry === undefined) return args
  const copies = [...args]
  try {
    captureArgs(copies, { sharesMemory: true })
  } catch {
    // What can only be moved goes along once.
    return args
  }
  return copies
}

const turnOf = (cell: FutureCell): number => Math.floor(cell.wireId / SLOTS)

/** What the other side is to see to, where it queues calls itself. */
const remoteOptions = (cell: FutureCell): RemoteOptions => {
  const { priority, queueTimeout, timeout } = cell.options
  return { timeout, queueTimeout, priority }
}
