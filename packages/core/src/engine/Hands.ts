/**
 * What is in a worker's hands: calls handed over and not yet answered, each under its wire id, and how much work they are worth.
 */
import { FIRST_TURN, Kind, LEASED, SLOTS, wasStarted } from "../wire/frames.ts"
import type { FutureCell } from "./FutureCell.ts"
import { aloneCost, BUDGET, CHUNKS_AHEAD_FROM_MS, MOST, ONE_AHEAD } from "./Pace.ts"

/** A far worker is given more once this much of its window is free (ms). */
const FAR_STEP_MS = 0.5

/** From so long before its deadline until so long behind it (ms), a call that is marked as started may be returned all the same. */
const UNSURE_BEFORE_MS = 1
const UNSURE_AFTER_MS = 10

export class Hands {
  /** By slot. */
  readonly #calls: Array<FutureCell | undefined> = []
  /** The wire id of each. */
  readonly #ids: Array<number> = []
  /** What each is worth of the budget. Lists of numbers, since a number in an object is an object of its own. */
  readonly #costs: Array<number> = []
  /** Expected run time of each (ms). */
  readonly #works: Array<number> = []
  /** From when on the worker does not start it any more; 0 for one that holds a slot. */
  readonly #deadlines: Array<number> = []
  /** The latest of `Kind.Loading` and `Kind.Started` that the worker sent of each; 0 before. */
  readonly #phases: Array<number> = []
  /** Whether each is known to have been started. */
  readonly #isStarted: Array<boolean> = []
  readonly #freeSlots: Array<number> = []
  /** From here on every wire id is too large for a small integer: what meets them meets numbers of one kind, from the first call to the last. */
  #turn = FIRST_TURN
  /** How many there are that hold a slot. */
  load = 0
  /** How many of these are known to have been started. */
  running = 0
  /**
   * Whether it gave calls back, or they were taken back. The worker then gives back every call beyond its slots until it comes to one that holds a slot, so
   * that calls start in order: more would only go to and fro.
   */
  late = false
  /** Milliseconds of expected work. */
  #expected = 0
  /** Expected run time of all (ms), which is less while their tasks are hardly known. */
  #work = 0
  /** Calls that wait for calls of their own and gave their slot back meanwhile. */
  readonly #parked = new Set<FutureCell>()

  /** Whether nothing is in its hands. */
  get isEmpty(): boolean {
    return this.load === 0 && this.#parked.size === 0
  }

  /** Whether it has so little to do that it is time to give it more: by the half, so that calls travel together. */
  get isHungry(): boolean {
    return !this.late && this.#expected <= BUDGET / 2
  }

  /** Whether it may take a call that is worth so much beyond its slots: while what it has is little work. */
  hasRoom(cost: number): boolean {
    return !this.late && this.load < MOST && this.#expected + cost <= BUDGET
  }

  /** The same for a far worker, whose window (ms) follows its link: as soon as some of it is free, since what is sent arrives late. */
  isHungryFar(window: number, slots: number): boolean {
    return !this.late && (this.load <= slots || this.#expected <= window - Math.min(window / 2, FAR_STEP_MS))
  }

  /** Whether a far worker may take a call of this cost ahead. `slots`: calls that it runs at a time; `calls`: those that it may hold. */
  hasRoomFar(cost: number, window: number, slots: number, calls: number): boolean {
    if (this.late || this.load >= calls) return false
    const most = this.load <= slots ? window * ONE_AHEAD : window
    return this.#expected + cost <= most
  }

  /** Expected work (ms) beyond the calls that it runs. */
  ahead(slots: number): number {
    return this.load <= slots ? 0 : this.#work * (1 - slots / this.load)
  }

  /** Leased calls whose wire ids are in a range, oldest first. */
  leased(from: number, to: number): Array<FutureCell> {
    return this.all().filter((cell) => {
      const id = this.idOf(cell)
      return id >= from && id <= to && this.#deadlines[cell.slot] === LEASED
    })
  }

  /** Takes a call that is worth so much. `deadline`: until when it is to be started, 0 for one that holds a slot. `work`: its expected run time (ms). */
  take(cell: FutureCell, cost: number, deadline: number, work = cost): void {
    if (deadline === 0) this.late = false
    const slot = this.#freeSlots.pop() ?? this.#calls.length
    this.#calls[slot] = cell
    this.#costs[slot] = cost
    this.#works[slot] = work
    this.#deadlines[slot] = deadline
    this.#phases[slot] = 0
    // The worker has a free slot for it, so the call starts when it arrives.
    const isStarted = this.#isStarted[slot] = deadline === 0
    if (isStarted) this.running++
    this.load++
    this.#expected += cost
    this.#work += work
    this.#ids[slot] = this.#turn++ * SLOTS + slot
    cell.slot = slot
  }

  /** What names this hand-over of a call, which is in hand, on the wire. */
  idOf(cell: FutureCell): number {
    return this.#ids[cell.slot]!
  }

  /** Until when a call that is in hand is to be started. */
  deadlineOf(cell: FutureCell): number {
    return this.#deadlines[cell.slot]!
  }

  /** Notes that a call is loading or has started. Returns `false` when that is known already. */
  reaches(cell: FutureCell, phase: typeof Kind.Loading | typeof Kind.Started): boolean {
    if (this.#phases[cell.slot]! >= phase) return false
    this.#phases[cell.slot] = phase
    return true
  }

  letGo(cell: FutureCell): void {
    const { slot } = cell
    this.#calls[slot] = undefined
    this.#freeSlots.push(slot)
    cell.lane = undefined
    if (!this.#parked.delete(cell)) {
      this.load--
      if (this.#isStarted[slot]!) this.running--
    }
    // Sums of fractions drift: an empty hand is empty.
    const isLast = this.load === 0
    this.#expected = isLast ? 0 : this.#expected - this.#costs[slot]!
    this.#work = isLast ? 0 : this.#work - this.#works[slot]!
  }

  letGoOfAll(): void {
    for (const cell of this.#calls) if (cell !== undefined) cell.lane = undefined
    this.#calls.length = 0
    this.#freeSlots.length = 0
    this.#parked.clear()
    this.#expected = this.#work = 0
    this.load = 0
    this.running = 0
  }

  /** The call that a wire id names, if it is in hand. */
  find(wireId: unknown): FutureCell | undefined {
    if (typeof wireId !== "number") return undefined
    const slot = wireId % SLOTS
    return this.#ids[slot] === wireId ? this.#calls[slot] : undefined
  }

  /** All of them, oldest first. */
  all(): Array<FutureCell> {
    return this.#calls.filter((cell) => cell !== undefined).toSorted((a, b) => this.idOf(a) - this.idOf(b))
  }

  /** The oldest that does not wait for calls of its own: the one that runs, where one runs at a time. */
  get current(): FutureCell | undefined {
    let oldest: FutureCell | undefined
    for (const cell of this.#calls) {
      if (cell === undefined || this.#parked.has(cell)) continue
      if (oldest === undefined || this.idOf(cell) < this.idOf(oldest)) oldest = cell
    }
    return oldest
  }

  /** Notes that a call has been started. */
  start(cell: FutureCell): void {
    if (this.#isStarted[cell.slot]!) return
    this.#isStarted[cell.slot] = true
    this.running++
  }

  /**
   * The oldest call that the worker had started by the time of a mark, and that is not known to be started yet. Around its deadline a marked call may be
   * one that the worker is about to return.
   */
  nextStarted(mark: number, now: number): FutureCell | undefined {
    let oldest: FutureCell | undefined
    for (const cell of this.#calls) {
      if (cell === undefined || this.#isStarted[cell.slot]! || !wasStarted(mark, this.idOf(cell))) continue
      const lateMs = now - this.#deadlines[cell.slot]!
      if (lateMs > -UNSURE_BEFORE_MS && lateMs < UNSURE_AFTER_MS) continue
      if (oldest === undefined || this.idOf(cell) < this.idOf(oldest)) oldest = cell
    }
    return oldest
  }

  /** Those that the worker had not started by the time of a mark, oldest first. */
  unstarted(started: number): Array<FutureCell> {
    return this.all().filter((cell) => !wasStarted(started, this.idOf(cell)))
  }

  park(cell: FutureCell, parks: boolean): void {
    if (parks === this.#parked.has(cell)) return
    if (parks) this.#parked.add(cell)
    else this.#parked.delete(cell)
    this.load += parks ? -1 : 1
    this.running += parks ? -1 : 1
  }
}

/** What a call is worth of a worker's budget: all of it, when nothing is known, or when it is no single call. */
export const costOf = ({ form, losses, options, pace, transfers }: FutureCell): number => {
  const single = form.each === undefined && form.sink === undefined && form.alone === undefined
  // What is moved cannot be taken back, and a queue clock or a signal must find the call while it waits.
  const free = transfers === undefined && options.queueTimeout === Infinity && options.signal === undefined
  // One whose machine died may be why: nothing else is to be lost with it.
  return single && free && losses === 0 && pace !== undefined ? pace.cost : BUDGET
}

/** The same for a far worker with this window (ms). */
export const farCostOf = (cell: FutureCell, window: number): number => {
  const { form, losses, options, pace, transfers } = cell
  const free = transfers === undefined && options.queueTimeout === Infinity && options.signal === undefined
  const isOfMap = form.each !== undefined || form.alone === true
  if (!free || losses > 0 || (isOfMap && window < CHUNKS_AHEAD_FROM_MS)) return aloneCost(window)
  if (form.each !== undefined) return Math.min(form.expectedMs ?? Infinity, aloneCost(window))
  return form.sink === undefined && pace !== undefined ? pace.farCost(window) : aloneCost(window)
}

/** Expected run time (ms) of a call that costs a far worker so much. What goes alone may take any time. */
export const farWorkOf = ({ form, pace }: FutureCell, cost: number, window: number): number =>
  form.each !== undefined || cost >= aloneCost(window) ? cost : pace!.expectedMs
