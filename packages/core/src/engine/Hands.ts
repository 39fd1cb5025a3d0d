/**
 * What is in a worker's hands: calls handed over and not yet answered, each under its wire id, and how much work they are worth.
 */
import { SLOTS } from "../wire/frames.ts"
import type { FutureCell } from "./FutureCell.ts"
import { BUDGET, MOST } from "./Pace.ts"

export class Hands {
  /** By slot. */
  readonly #calls: Array<FutureCell | undefined> = []
  readonly #freeSlots: Array<number> = []
  #turn = 0
  /** How many there are that hold a slot. */
  load = 0
  /**
   * Whether it gave calls back, or they were taken back. The worker then gives back every call beyond its slots until it comes to one that holds a slot, so
   * that calls start in order: more would only go to and fro.
   */
  late = false
  /** Milliseconds of expected work. */
  #expected = 0
  /** Calls that wait for calls of their own and gave their slot back meanwhile. */
  readonly #parked = new Set<FutureCell>()

  /** Whether nothing is in its hands. */
  get isEmpty(): boolean {
    return this.load === 0 && this.#parked.size === 0
  }

  /** Whether it may take a call beyond its slots: while what it has is little work. */
  hasRoom(cell: FutureCell): boolean {
    return !this.late && this.load < MOST && this.#expected + costOf(cell) <= BUDGET
  }

  /** Takes a call. With a `deadline` beyond its slots, to be started by then or given back; 0 for one that holds a slot. */
  take(cell: FutureCell, deadline: number): void {
    cell.deadline = deadline
    if (deadline === 0) this.late = false
    const slot = this.#freeSlots.pop() ?? this.#calls.length
    this.#calls[slot] = cell
    this.load++
    cell.cost = costOf(cell)
    this.#expected += cell.cost
    cell.wireId = this.#turn++ * SLOTS + slot
  }

  letGo(cell: FutureCell): void {
    const slot = cell.wireId % SLOTS
    this.#calls[slot] = undefined
    this.#freeSlots.push(slot)
    cell.lane = undefined
    if (!this.#parked.delete(cell)) this.load--
    // Sums of fractions drift: an empty hand is empty.
    this.#expected = this.load === 0 ? 0 : this.#expected - cell.cost
  }

  letGoOfAll(): void {
    for (const cell of this.#calls) if (cell !== undefined) cell.lane = undefined
    this.#calls.length = 0
    this.#freeSlots.length = 0
    this.#parked.clear()
    this.#expected = 0
    this.load = 0
  }

  /** The call that a wire id names, if it is in hand. */
  find(wireId: unknown): FutureCell | undefined {
    const cell = typeof wireId === "number" ? this.#calls[wireId % SLOTS] : undefined
    return cell?.wireId === wireId ? cell : undefined
  }

  /** All of them, oldest first. */
  all(): Array<FutureCell> {
    return this.#calls.filter((cell) => cell !== undefined).toSorted((a, b) => a.wireId - b.wireId)
  }

  /** Those that the worker had not started when it marked `started`, oldest first. */
  unstarted(started: number): Array<FutureCell> {
    return this.all().filter((cell) => turnOf(cell) >= started)
  }

  park(cell: FutureCell, parks: boolean): void {
    if (parks === this.#parked.has(cell)) return
    if (parks) this.#parked.add(cell)
    else this.#parked.delete(cell)
    this.load += parks ? -1 : 1
  }
}

/** What a call is worth of a worker's budget: all of it, when nothing is known, or when it is no single call. */
const costOf = ({ form, options, pace, transfers }: FutureCell): number => {
  const single = form.each === undefined && form.sink === undefined && form.alone === undefined
  // What is moved cannot be taken back, and a queue clock or a signal must find the call while it waits.
  const free = transfers === undefined && options.queueTimeout === Infinity && options.signal === undefined
  return single && free && pace !== undefined ? pace.cost : BUDGET
}

const turnOf = (cell: FutureCell): number => Math.floor(cell.wireId / SLOTS)
