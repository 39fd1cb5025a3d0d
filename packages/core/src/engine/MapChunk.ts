/** Items of a map that travel together, and what is known of their outcomes. */
import type { ErrorRecord } from "../wire/error.ts"
import { Status } from "../wire/frames.ts"
import type { ItemOutcomes } from "../wire/items.ts"
import { sizeOf } from "../wire/size.ts"
import type { TaskCodec } from "../worker/codec.ts"
import type { TaskDefinition } from "../worker/registry.ts"
import { cancelledBy, failureOf } from "./Failure.ts"
import type { Failure } from "./Failure.ts"
import type { FutureCell } from "./FutureCell.ts"
import type { Lane } from "./Lane.ts"

/** One item's outcome: `item` as it was pulled, and its position in the input, from 0. */
export type Outcome<A> = Settlement<A> & { readonly index: number; readonly item: unknown }

type Settlement<A> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly failure: Failure }

/** In place of a status: the failure of the whole chunk, shared by its items. */
const WHOLE = -1

/** Reads outcomes of one task as they travelled. */
export interface OutcomeReader {
  readonly definition: TaskDefinition | undefined
  /** Translates the values of chunks; single calls come translated. */
  readonly codec: TaskCodec | undefined
}

/** Which items a chunk has. */
export interface ChunkItems {
  /** As pulled; this chunk's begin at `from`. */
  readonly items: ArrayLike<unknown>
  /** As captured, where they were submitted before; the same positions. */
  readonly captured: ArrayLike<unknown> | undefined
  readonly from: number
  readonly size: number
  /** The position of its first item in the input. */
  readonly first: number
  /** Estimated size of the items. */
  readonly bytes: number
  readonly before: Redelivered
}

/** What items keep that are delivered again: how often their machine was lost, and their keys. */
export interface Redelivered {
  readonly losses: number
  /** The key of the chunk that they were in first. */
  readonly key: string | undefined
  /** Index of the first of them in that chunk. */
  readonly item: number
}

export const firstDelivery: Redelivered = { losses: 0, key: undefined, item: 0 }

export class MapChunk {
  readonly #reader: OutcomeReader
  /** `undefined` while it waits to be submitted. */
  cell: FutureCell | undefined
  #items: ArrayLike<unknown>
  #captured: ArrayLike<unknown> | undefined
  #from: number
  /** How many items it has. */
  size: number
  first: number
  bytes: number
  /** Estimated size of the results that are here. */
  resultBytes = 0
  before: Redelivered
  /** How many items it had when it was submitted. */
  submittedSize = 0
  /** How many outcomes are known. */
  told = 0
  /** How many of them were taken. */
  taken = 0
  // Its place among the others. `MapLine` only.
  previous: MapChunk | undefined
  next: MapChunk | undefined
  isReady = false
  /** The item that took too long without its worker telling so, and the worker. `itemClock` only. */
  stuck: { readonly told: number; readonly lane: Lane | undefined } | undefined
  /** What is known, in the parts in which it came; those that were taken to the end are gone. */
  readonly #parts: Array<ItemOutcomes> = []
  /** The next outcome in the first part. */
  #at = 0

  constructor(reader: OutcomeReader, { before, bytes, captured, first, from, items, size }: ChunkItems) {
    this.#reader = reader
    this.#items = items
    this.#captured = captured
    this.#from = from
    this.size = size
    this.first = first
    this.bytes = bytes
    this.before = before
  }

  /** Whether the items were submitted before: they are captured and translated. */
  get isCaptured(): boolean {
    return this.#captured !== undefined
  }

  /** What is to be submitted. */
  get submission(): ArrayLike<unknown> {
    const all = this.#captured ?? this.#items
    return this.size === all.length ? all : slice(all, this.#from, this.#from + this.size)
  }

  /** It was submitted: `captured` holds its items as they were captured. */
  submitted(cell: FutureCell, captured: ArrayLike<unknown>): void {
    this.cell = cell
    if (this.size < this.#items.length) this.#items = slice(this.#items, this.#from, this.#from + this.size)
    this.#from = 0
    this.#captured = captured
  }

  /** Adds items behind those of a chunk that waits. Returns `false` where that is not possible. */
  extend(items: ArrayLike<unknown>, bytes: number): boolean {
    const all = this.#items
    const isLast = this.#from + this.size === all.length
    if (this.cell !== undefined || this.isCaptured || !isLast || !Array.isArray(all) || !Array.isArray(items)) {
      return false
    }
    for (const item of items) all.push(item)
    this.size += items.length
    this.bytes += bytes
    return true
  }

  /** Takes its first items away into a chunk of their own. */
  split(count: number): MapChunk {
    const bytes = this.bytes / this.size * count
    const { before, first } = this
    const part = { items: this.#items, captured: this.#captured, from: this.#from, size: count, first, bytes, before }
    this.before = this.beforeAt(count)
    this.#from += count
    this.first += count
    this.size -= count
    this.bytes -= bytes
    if (this.#from > LONGEST_GAP) {
      this.#items = slice(this.#items, this.#from)
      this.#captured = this.#captured && slice(this.#captured, this.#from)
      this.#from = 0
    }
    return new MapChunk(this.#reader, part)
  }

  /** How the items from a position on were delivered before. */
  beforeAt(at: number): Redelivered {
    const { before } = this
    return before.key === undefined ? before : { ...before, item: before.item + at }
  }

  /** Takes the items from a position on away into a chunk of their own. */
  cut(at: number, before: Redelivered, keepCaptured = true): MapChunk {
    const size = this.size - at
    const bytes = this.bytes / this.size * size
    const captured = keepCaptured ? this.#captured : undefined
    const from = this.#from + at
    const rest = { items: this.#items, captured, from, size, first: this.first + at, bytes, before }
    this.size = at
    this.bytes -= bytes
    return new MapChunk(this.#reader, rest)
  }

  /** Takes outcomes in. Returns how many of them failed, without those that were cancelled. */
  add(outcomes: ItemOutcomes): number {
    const count = countOf(outcomes)
    if (count === 0) return 0
    this.#parts.push(outcomes)
    this.told += count
    this.resultBytes += bytesOf(outcomes)
    if (!isFlat(outcomes)) return 0
    let failures = 0
    for (let at = 0; at < outcomes.length; at += 2) if (isFailure(outcomes[at], outcomes[at + 1])) failures++
    return failures
  }

  /** Fails all items up to a position that have no outcome yet. Returns how many of them failed, without those that were cancelled. */
  fail(failure: Failure, upTo: number): number {
    const outcomes: Array<unknown> = []
    for (let at = this.told; at < upTo; at++) outcomes.push(WHOLE, failure)
    return this.add(outcomes)
  }

  /** How many items have begun, once an item was `stuck` and the chunk is over; `undefined` when none was. */
  begun(isRemote: boolean): number | undefined {
    const { cell, stuck, told } = this
    if (stuck === undefined) return undefined
    if (isRemote) return told > stuck.told ? told : told + 1
    // A worker that came back by itself has told of all that had begun.
    if (stuck.lane?.state === "ready") return told
    return Math.max(told, stuck.lane?.begun(cell!) ?? told + 1)
  }

  /** Whether there is an outcome to take. */
  get hasOutcome(): boolean {
    return this.#parts.length > 0
  }

  /** The position in the input of the item that is taken next. */
  get nextIndex(): number {
    return this.first + this.taken
  }

  /** Whether all of its outcomes were taken. */
  get isEmpty(): boolean {
    return this.taken >= this.size
  }

  /** The next outcome, if there is one. */
  take<A>(): Outcome<A> | undefined {
    const part = this.#parts[0]
    if (part === undefined) return undefined
    const at = this.#at++
    const index = this.first + this.taken
    const item = this.#items[this.#from + this.taken++]
    if (isFlat(part)) {
      if ((at + 1) * 2 >= part.length) this.#nextPart()
      return this.#outcome(part[at * 2], part[at * 2 + 1], index, item)
    }
    const { values } = part
    if (at + 1 >= values.length) this.#nextPart()
    return this.#decoded(values[at], index, item)
  }

  #nextPart(): void {
    this.#parts.shift()
    this.#at = 0
  }

  #outcome<A>(status: unknown, value: unknown, index: number, item: unknown): Outcome<A> {
    switch (status) {
      case Status.Succeeded:
        return this.#decoded(value, index, item)
      case Status.Interrupted:
        return { ok: false, failure: cancelledBy("interrupt"), index, item }
      case WHOLE:
        return { ok: false, failure: value as Failure, index, item }
      default: {
        const failure = failureOf(this.#reader.definition!, status as number, value as ErrorRecord)
        return { ok: false, failure, index, item }
      }
    }
  }

  #decoded<A>(value: unknown, index: number, item: unknown): Outcome<A> {
    const { codec } = this.#reader
    if (codec === undefined || this.cell!.form.each === undefined) return { ok: true, value: value as A, index, item }
    try {
      return { ok: true, value: codec.decodeSuccess(value) as A, index, item }
    } catch (error) {
      return { ok: false, failure: { kind: "threw", build: () => error }, index, item }
    }
  }
}

/** Items before the first of a waiting chunk that its list keeps, at most. */
const LONGEST_GAP = 4_096

const slice = (items: ArrayLike<unknown>, from: number, to?: number): ArrayLike<unknown> =>
  (items as ReadonlyArray<unknown>).slice(from, to)

const isFlat = (outcomes: ItemOutcomes): outcomes is ReadonlyArray<unknown> => Array.isArray(outcomes)

const countOf = (outcomes: ItemOutcomes): number => isFlat(outcomes) ? outcomes.length / 2 : outcomes.values.length

const isFailure = (status: unknown, value: unknown): boolean =>
  status === WHOLE
    ? (value as Failure).cancelled === undefined
    : status !== Status.Succeeded && status !== Status.Interrupted

const bytesOf = (outcomes: ItemOutcomes): number => {
  if (isFlat(outcomes)) {
    let bytes = 0
    for (let at = 0; at < outcomes.length; at += 2) if (outcomes[at] !== WHOLE) bytes += sizeOf(outcomes[at + 1])
    return bytes
  }
  const { values } = outcomes
  if (ArrayBuffer.isView(values)) return values.byteLength
  let bytes = 0
  for (let at = 0; at < values.length; at++) bytes += sizeOf(values[at])
  return bytes
}
