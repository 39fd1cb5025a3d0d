/** Items of a map that travel together, and what is known of their outcomes. */
import type { ErrorRecord } from "../wire/error.ts"
import { Status } from "../wire/frames.ts"
import type { ItemOutcomes } from "../wire/items.ts"
import type { TaskCodec } from "../worker/codec.ts"
import type { TaskDefinition } from "../worker/registry.ts"
import { cancelledBy, failureOf } from "./Failure.ts"
import type { Failure } from "./Failure.ts"
import type { FutureCell } from "./FutureCell.ts"

/** One item's outcome. */
export type Outcome<A> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly failure: Failure }

/** In place of a status: the failure of the whole chunk, shared by its items. */
const WHOLE = -1

/** Reads outcomes of one task as they travelled. */
export interface OutcomeReader {
  readonly definition: TaskDefinition | undefined
  /** Translates the values of chunks; single calls come translated. */
  readonly codec: TaskCodec | undefined
}

export class MapChunk {
  readonly #reader: OutcomeReader
  readonly cell: FutureCell
  /** What was pulled. */
  readonly items: ArrayLike<unknown>
  /** The same as it was captured. */
  readonly captured: ArrayLike<unknown>
  /** How many it answers for. */
  size: number
  /** How many outcomes are known. */
  told = 0
  /** How many of them were taken. */
  taken = 0
  /** What is known, in the parts in which it came; those that were taken to the end are gone. */
  readonly #parts: Array<ItemOutcomes> = []
  /** The next outcome in the first part. */
  #at = 0

  constructor(reader: OutcomeReader, cell: FutureCell, items: ArrayLike<unknown>) {
    this.#reader = reader
    this.cell = cell
    this.items = items
    this.captured = cell.args[0] as ArrayLike<unknown>
    this.size = items.length
  }

  /** Takes outcomes in. Answers how many of them are failures. */
  add(outcomes: ItemOutcomes): number {
    const count = countOf(outcomes)
    if (count === 0) return 0
    this.#parts.push(outcomes)
    this.told += count
    if (!isFlat(outcomes)) return 0
    let failures = 0
    for (let at = 0; at < outcomes.length; at += 2) if (outcomes[at] !== Status.Succeeded) failures++
    return failures
  }

  /** The same for all items up to a position that are not told of yet. Answers how many these are. */
  fail(failure: Failure, upTo: number): number {
    const outcomes: Array<unknown> = []
    for (let at = this.told; at < upTo; at++) outcomes.push(WHOLE, failure)
    return this.add(outcomes)
  }

  /** Whether there is an outcome to take. */
  get hasOutcome(): boolean {
    return this.#parts.length > 0
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
    this.taken++
    if (isFlat(part)) {
      if ((at + 1) * 2 >= part.length) this.#next()
      return this.#outcome(part[at * 2], part[at * 2 + 1])
    }
    const { values } = part
    if (at + 1 >= values.length) this.#next()
    return this.#decoded(values[at])
  }

  #next(): void {
    this.#parts.shift()
    this.#at = 0
  }

  #outcome<A>(status: unknown, value: unknown): Outcome<A> {
    switch (status) {
      case Status.Succeeded:
        return this.#decoded(value)
      case Status.Interrupted:
        return { ok: false, failure: cancelledBy("interrupt") }
      case WHOLE:
        return { ok: false, failure: value as Failure }
      default:
        return { ok: false, failure: failureOf(this.#reader.definition!, status as number, value as ErrorRecord) }
    }
  }

  #decoded<A>(value: unknown): Outcome<A> {
    const { codec } = this.#reader
    if (codec === undefined || this.cell.form.each === undefined) return { ok: true, value: value as A }
    try {
      return { ok: true, value: codec.decodeSuccess(value) as A }
    } catch (error) {
      return { ok: false, failure: { kind: "threw", build: () => error } }
    }
  }
}

const isFlat = (outcomes: ItemOutcomes): outcomes is ReadonlyArray<unknown> => Array.isArray(outcomes)

const countOf = (outcomes: ItemOutcomes): number => isFlat(outcomes) ? outcomes.length / 2 : outcomes.values.length
