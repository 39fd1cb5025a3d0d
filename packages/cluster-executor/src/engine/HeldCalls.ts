/**
 * Calls that a client sent ahead for one worker, in the engine's memory. They are passed on so that the worker always has about a millisecond of work
 * that it has not started, and they can be given back exactly: the worker does not know of them.
 *
 * ```
 * held ──▶ passed ──▶ started                 as the worker's mark says
 *   │         └──▶ returned                   its deadline passed unstarted: a call in front of it ran longer than expected
 *   └──▶ returned                             the client asked for it, or a parcel in front of it was returned
 * ```
 *
 * A parcel is one frame of calls, whose header names the first and the last call: the engine never reads frames.
 */
import { encodeFrame, frames, monotonic, timers } from "@futures/core/Backend"
import type { ParcelHeader } from "../wire/parcel.ts"

const { clearTimeout, setTimeout } = timers

/** Expected work (ms) that was passed to the worker and not started, at most, unless it is one parcel. */
const AHEAD_MS = 1
/** While the worker runs a call that is expected to run longer than this (ms), nothing is passed on: it can still be given to another worker. */
const SOON_MS = 20
/** The worker's mark is read this often (ms) while it has something to start. */
const LOOK_MS = 15

interface Parcel extends ParcelHeader {
  readonly parts: Array<Uint8Array>
  /** Bytes that have not arrived. */
  missing: number
  /** When it may not be started any more (`monotonic()`); `Infinity` for calls that hold a slot. */
  deadline: number
}

/** What the calls of a lease need of it. */
export interface HeldCallsHost {
  /** The worker's mark. */
  readonly mark: () => number
  /** Writes to the worker, in order. */
  readonly write: (bytes: Uint8Array) => void
  /** Sends the client a range of wire ids whose calls are given back. */
  readonly returned: (from: number, to: number, isLate: boolean) => void
  /** Sends the client the worker's mark. */
  readonly marked: (mark: number) => void
}

export class HeldCalls {
  readonly #host: HeldCallsHost
  /** In memory, oldest first. */
  #held: Array<Parcel> = []
  /** Passed to the worker and not known to be started, oldest first. */
  #passed: Array<Parcel> = []
  #passedMs = 0
  /** Expected run time (ms) of what was started last. */
  #frontMs = 0
  /** When its start was seen (`monotonic()`). */
  #frontAt = 0
  /** The parcel that is arriving. */
  #arriving: Parcel | undefined
  /** Whether calls were returned late: until one comes that holds a slot, since the client sends that when it has all of them back. So calls start in order. */
  #isLate = false
  /** The last call that arrived. */
  #last = 0
  /** The mark that was sent to the client last. */
  #sentMark = 0
  #timer: NodeJS.Timeout | undefined

  constructor(host: HeldCallsHost) {
    this.#host = host
  }

  /** Whether the next bytes belong to a parcel. */
  get isArriving(): boolean {
    return this.#arriving !== undefined
  }

  /** A parcel begins; `bytes` is as much of its frame as came with the header. */
  begin(header: ParcelHeader, bytes: Uint8Array): void {
    this.#arriving = { ...header, parts: [], missing: header.byteLength, deadline: Infinity }
    if (bytes.length > 0) this.take(bytes)
  }

  /** More bytes of the parcel that is arriving. Returns `false` when it is longer than its header says. */
  take(bytes: Uint8Array): boolean {
    const parcel = this.#arriving!
    parcel.parts.push(bytes)
    parcel.missing -= bytes.length
    if (parcel.missing > 0) return true
    if (parcel.missing < 0) return false
    this.#arriving = undefined
    this.#last = Math.max(this.#last, parcel.last)
    if (parcel.isAhead && this.#isLate) {
      this.#host.returned(parcel.first, parcel.last, true)
      return true
    }
    this.#isLate = false
    this.#held.push(parcel)
    // Calls that hold a slot are not ahead of anything: neither are those in front of them.
    if (parcel.isAhead) this.look()
    else this.#pass(this.#held.length)
    return true
  }

  /** The worker may have started something, or, if it was heard, have settled it: passes on more. */
  look(isHeard = false): void {
    if (this.#held.length === 0 && this.#passed.length === 0) return
    const now = monotonic()
    const mark = this.#host.mark()
    this.#forgetStarted(mark, now)
    // Read in this order: what is not marked by now, after its deadline, will not be started.
    if (this.#passed.some(({ deadline }) => deadline <= now)) this.#returnLate(now, mark)
    if (this.#passed.length === 0 && !isHeard && this.#frontAt + this.#frontMs > now + SOON_MS) return this.#lookLater()
    let count = 0
    let ms = this.#passedMs
    for (const { expectedMs } of this.#held) {
      if (this.#passed.length + count > 0 && ms + expectedMs > AHEAD_MS) break
      ms += expectedMs
      count++
    }
    if (count > 0) this.#pass(count)
    this.#lookLater()
  }

  /** Gives back about half of what is in memory. */
  giveBackHalf(): void {
    const kept = this.#held.splice(Math.floor(this.#held.length / 2))
    const first = kept[0]
    this.#host.returned(first?.first ?? 0, first === undefined ? 0 : this.#last, false)
  }

  /** Gives back the parcel that holds a call, if it is in memory. Returns `false` when it is not: the worker may have the call. */
  giveBack(wireId: number): boolean {
    const index = this.#held.findIndex(({ first, last }) => first <= wireId && wireId <= last)
    const parcel = index < 0 ? undefined : this.#held.splice(index, 1)[0]
    this.#host.returned(parcel?.first ?? 0, parcel?.last ?? 0, false)
    return parcel !== undefined
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#held = []
    this.#passed.length = 0
  }

  #pass(count: number): void {
    const now = monotonic()
    for (const parcel of this.#held.splice(0, count)) {
      if (parcel.isAhead) {
        parcel.deadline = now + parcel.patienceMs + 2 * (this.#frontMs + this.#passedMs)
        this.#host.write(encodeFrame([frames.Kind.Lease, 0, 0, parcel.deadline]))
      }
      for (const part of parcel.parts) this.#host.write(part)
      parcel.parts.length = 0
      this.#passed.push(parcel)
      this.#passedMs += parcel.expectedMs
    }
    this.#lookLater()
  }

  #forgetStarted(mark: number, now: number): void {
    let count = 0
    while (count < this.#passed.length && frames.wasStarted(mark, this.#passed[count]!.last)) {
      const { expectedMs } = this.#passed[count++]!
      this.#passedMs -= expectedMs
      this.#frontMs = expectedMs
      this.#frontAt = now
    }
    if (count > 0) this.#passed.splice(0, count)
    if (this.#passed.length === 0) this.#passedMs = 0
  }

  /**
   * A call ran longer than expected. The worker returns what it has not started by its deadline, and everything behind that until a call that holds a
   * slot; what stands behind such a call may still be started.
   */
  #returnLate(now: number, mark: number): void {
    const late: Array<Parcel> = []
    let isLate = false
    this.#passed = this.#passed.filter((parcel) => {
      if (parcel.isAhead && parcel.deadline <= now) isLate = true
      else if (!parcel.isAhead) isLate = false
      if (isLate) late.push(parcel)
      return !isLate
    })
    if (isLate) late.push(...this.#held.splice(0))
    this.#isLate = isLate
    this.#passedMs = this.#passed.reduce((sum, { expectedMs }) => sum + expectedMs, 0)
    const unstarted = frames.firstUnstarted(mark)
    for (const { first, last } of ranges(late)) this.#host.returned(Math.max(first, unstarted), last, isLate)
    this.#lookLater()
  }

  #lookLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.look()
      const mark = this.#host.mark()
      if (mark !== this.#sentMark) this.#host.marked(this.#sentMark = mark)
      if (this.#held.length > 0 || this.#passed.length > 0) this.#lookLater()
    }, LOOK_MS)
  }
}

/** Parcels of neighbouring calls as one range. */
const ranges = (parcels: ReadonlyArray<Parcel>): Array<{ first: number; last: number }> => {
  const found: Array<{ first: number; last: number }> = []
  for (const { first, last } of parcels) {
    const before = found.at(-1)
    if (before !== undefined && frames.callsBetween(before.last, first) === 2) before.last = last
    else found.push({ first, last })
  }
  return found
}
