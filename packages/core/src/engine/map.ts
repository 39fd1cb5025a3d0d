/**
 * Many calls of one task, pulled from their input as their results are taken.
 *
 * Items travel in chunks; each item has its own outcome whatever the chunking. The size of a chunk follows the measured time of an item, so that a
 * chunk is worth the trip and no worker is left with a long one.
 */
import { LONGEST_DELAY, toMillis } from "../duration.ts"
import type { DurationInput } from "../duration.ts"
import { describe, InvalidOptionError, TaskTimeoutError } from "../ExecutorError.ts"
import { infoOf } from "../Task.ts"
import { Status } from "../wire/frames.ts"
import { pack } from "../wire/items.ts"
import type { ItemOutcomes } from "../wire/items.ts"
import { codecOf } from "../worker/codec.ts"
import { bound } from "./asyncContext.ts"
import { State } from "./Call.ts"
import type { CallForm } from "./CallForm.ts"
import type { Engine } from "./Engine.ts"
import type { FutureCell } from "./FutureCell.ts"
import { MapChunk } from "./MapChunk.ts"
import type { Outcome, OutcomeReader } from "./MapChunk.ts"
import { countOf, MapInput } from "./MapInput.ts"

/** Options of `map`, `mapSettled` and `starmap`. */
export interface MapOptions {
  /** Items that travel together: a number, or `"auto"` (default), which follows the measured time of an item. */
  readonly chunkSize?: number | "auto" | undefined
  /** Items pulled from the input and not yet yielded, at most. Default: four chunks for each call that can run at a time. */
  readonly bufferSize?: number | undefined
  /** Yield in the order of the input (default), or as results come. */
  readonly ordered?: boolean | undefined
  /** How long the whole may take, counted from the first `next`; then `next` throws `TaskTimeoutError` (`clock: "wait"`) and the rest is cancelled. */
  readonly timeout?: DurationInput | undefined
  /** Told whenever items are done, how far all is; what it throws harms nobody. */
  readonly onProgress?: ((progress: MapProgress) => void) | undefined
}

/** How far a map is, in items. */
export interface MapProgress {
  /** Pulled from the input. */
  readonly pulled: number
  /** Done, in whatever way: yielded, or about to be. */
  readonly done: number
  /** Those of them whose task threw or failed, or did not end by itself. */
  readonly failed: number
  /** All that there are: at once where the input can tell (`length`, `size`), `undefined` for others until they have ended. */
  readonly total: number | undefined
}

/** Worker time that a chunk aims at, in milliseconds: hundreds of times the cost of a hand-over, small beside any balance that matters. */
const CHUNK_MILLIS = 4
const LARGEST_CHUNK = 16_384

/** What items keep that are delivered again: how often their machine was lost, and their keys. */
interface Redelivered {
  readonly losses: number
  /** The key of the chunk that they were in first. */
  readonly key: string | undefined
  /** Index of the first of them in that chunk. */
  readonly item: number
}

const firstDelivery: Redelivered = { losses: 0, key: undefined, item: 0 }

export class MapRun<A> {
  readonly #engine: Engine
  readonly #form: CallForm
  readonly #task: unknown
  readonly #reader: OutcomeReader
  /** Whether each item is a tuple of arguments. */
  readonly #spread: boolean
  readonly #input: MapInput
  readonly #fixed: number | undefined
  readonly #bufferSize: number
  /** Chunks handed in and not yet yielded to the end, at most. */
  readonly #chunksAhead: number
  readonly #ordered: boolean
  readonly #onProgress: MapOptions["onProgress"]
  #doneItems = 0
  #failedItems = 0
  /** How many items there are, where the input can tell. */
  readonly #total: number | undefined
  readonly #timeout: number
  #deadline: number | undefined
  /** Chunks handed in and not yet yielded to the end, oldest first. */
  #chunks: Array<MapChunk> = []
  #chunkSize: number
  /** Items pulled and not yet yielded. */
  #ahead = 0
  #closed = false
  #wake: (() => void) | undefined

  constructor(
    engine: Engine,
    form: CallForm,
    task: unknown,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options: MapOptions = {},
    spread = false
  ) {
    const { bufferSize, chunkSize = "auto", onProgress, ordered = true, timeout } = options
    if (chunkSize !== "auto") atLeastOne("chunkSize", chunkSize, ` or "auto"`)
    if (bufferSize !== undefined) atLeastOne("bufferSize", bufferSize)
    this.#engine = engine
    this.#form = form
    this.#task = task
    const info = infoOf(task)
    const definition = info?.definition
    this.#reader = { definition, codec: definition === undefined ? undefined : codecOf(definition) }
    this.#spread = spread
    this.#input = new MapInput(items, spread, () => this.#wake?.())
    this.#total = onProgress === undefined ? undefined : countOf(items)
    // A clock, a retry, a signal are an item's own: one that has any travels alone.
    const alone = info?.options !== undefined || engine.backend.single === true
    this.#fixed = alone ? 1 : chunkSize === "auto" ? undefined : chunkSize
    this.#chunkSize = this.#fixed ?? 1
    this.#bufferSize = bufferSize ?? Infinity
    this.#chunksAhead = 4 * engine.options.maxWorkers * engine.options.concurrency
    this.#ordered = ordered
    this.#onProgress = onProgress === undefined ? undefined : bound(onProgress)
    this.#timeout = timeout === undefined ? Infinity : toMillis(timeout, "timeout")
  }

  /** The task's label, for errors. */
  get label(): string | undefined {
    return infoOf(this.#task)?.options?.label ?? this.#reader.definition?.name
  }

  /** The next outcome; `undefined` at the end. Rejects with what the input threw, at its position. */
  async next(): Promise<Outcome<A> | undefined> {
    while (!this.#closed) {
      const outcome = this.here()
      if (outcome !== undefined) return outcome
      if (this.#input.isOver && !this.#input.isPulling && this.#chunks.length === 0) {
        this.#closed = true
        if (this.#input.error !== undefined) throw this.#input.error.error
        return undefined
      }
      await this.#arrival()
    }
    return undefined
  }

  /** The next outcome if it is here already. */
  here(): Outcome<A> | undefined {
    this.#deadline ??= performance.now() + this.#timeout
    if (this.#closed) return undefined
    if (!this.#input.isOver && this.#chunks.length < this.#chunksAhead) this.#fill()
    return this.#take()
  }

  /** The outcomes that are here already, without waiting. */
  ready(): Array<Outcome<A>> {
    const outcomes: Array<Outcome<A>> = []
    for (let outcome = this.#take(); outcome !== undefined; outcome = this.#take()) outcomes.push(outcome)
    return outcomes
  }

  /** Cancels what has not started, and pulls no more. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const { cell } of this.#chunks) this.#engine.cancel(cell, "map")
    this.#chunks = []
    this.#wake?.()
    await this.#input.close()
  }

  #take(): Outcome<A> | undefined {
    const index = this.#ordered ? 0 : this.#chunks.findIndex((each) => each.hasOutcome)
    const chunk = this.#chunks[index]
    const outcome = chunk?.take<A>()
    if (outcome === undefined) return undefined
    this.#ahead--
    if (chunk!.isEmpty) this.#chunks.splice(index, 1)
    return outcome
  }

  /** Pulls items and hands chunks in until enough is ahead. */
  #fill(): void {
    while (this.#chunks.length < this.#chunksAhead && this.#ahead < this.#bufferSize) {
      const items = this.#input.take(Math.min(this.#chunkSize, this.#bufferSize - this.#ahead))
      if (items.length === 0) return
      this.#ahead += items.length
      this.#open(items, this.#chunks.length)
    }
  }

  /** Hands in a chunk, whose outcomes are yielded at a position among the others. */
  #open(items: ArrayLike<unknown>, position: number, before: Redelivered = firstDelivery): void {
    const cell = items.length > 1 ? this.#handInTogether(items, before) : this.#handInAlone(items[0], before)
    cell.watch()
    this.#form.spans?.submitted(cell)
    const chunk = new MapChunk(this.#reader, cell, items)
    this.#chunks.splice(position, 0, chunk)
    cell.observe(() => {
      this.#settled(chunk)
      this.#wake?.()
    })
  }

  #handInAlone(item: unknown, { item: index, key, losses }: Redelivered): FutureCell {
    const args = this.#spread ? item as Array<unknown> : [item]
    const form = { ...this.#form, alone: true }
    return this.#engine.submit(
      this.#task,
      args,
      key === undefined ? form : { ...form, key: `${key}.${index}`, earlier: losses }
    )
  }

  #handInTogether(items: ArrayLike<unknown>, before: Redelivered): FutureCell {
    const sink = (outcomes: ItemOutcomes): void => {
      const chunk = this.#chunks.find((each) => each.cell === cell)
      if (chunk !== undefined) this.#told(chunk, outcomes)
      this.#wake?.()
    }
    const each = this.#spread ? "spread" : "item"
    const packed = this.#reader.codec === undefined ? pack(items) : Array.from(items)
    const cell = this.#engine.submit(this.#task, [packed], { ...this.#form, ...before, each, sink })
    return cell
  }

  #told(chunk: MapChunk, outcomes: ItemOutcomes): void {
    const known = chunk.told
    const failures = chunk.add(outcomes)
    this.#progress(chunk.told - known, failures)
  }

  #failed(chunk: MapChunk, upTo = chunk.size): void {
    const count = chunk.fail(chunk.cell.failure, upTo)
    this.#progress(count, count)
  }

  #progress(done: number, failed: number): void {
    if (this.#onProgress === undefined || done === 0) return
    this.#doneItems += done
    this.#failedItems += failed
    const { isOver, pulled } = this.#input
    const total = isOver ? pulled : this.#total
    try {
      this.#onProgress({ pulled, done: this.#doneItems, failed: this.#failedItems, total })
    } catch (error) {
      process.emitWarning(`onProgress threw: ${describe(error)}`, "FuturesWarning")
    }
  }

  #settled(chunk: MapChunk): void {
    const { captured, cell, items, size, told } = chunk
    if (cell.code === State.Succeeded) {
      this.#told(chunk, size > 1 ? cell.value as ItemOutcomes : [Status.Succeeded, cell.value])
      return this.#measure(chunk)
    }
    const position = this.#chunks.indexOf(chunk)
    if (position < 0) return this.#failed(chunk)
    const { failure } = cell
    const isPlain = this.#reader.codec === undefined
    // How far the worker had come, when it died: its last words have told of all that had answered.
    const begun = failure.lost === "exact" ? told + 1 : Math.max(failure.begun ?? size, told)
    if (cell.refused && size > 1) {
      // One of them is at fault: each is handed in alone, and answers for itself.
      this.#chunks.splice(position, 1)
      for (let at = 0; at < size; at++) this.#open([items[at]], position + at)
    } else if (failure.lost === "redeliver") {
      const before = { losses: cell.losses, key: cell.key, item: (cell.form.item ?? 0) + told }
      this.#redeliver(rest(isPlain ? captured : items, told), this.#cut(chunk, told, position), before)
    } else if (failure.lost !== undefined && isPlain && begun < size) {
      // Those behind never ran.
      this.#failed(chunk, begun)
      this.#open(rest(captured, begun), this.#cut(chunk, begun, position))
    } else this.#failed(chunk)
  }

  /** From here on a chunk answers for its first items alone. Answers where the others stand in line. */
  #cut(chunk: MapChunk, size: number, position: number): number {
    chunk.size = size
    if (!chunk.isEmpty) return position + 1
    this.#chunks.splice(position, 1)
    return position
  }

  /** The machine under these items died: they run on another; when that has happened twice each runs alone, so that one that kills machines is found. */
  #redeliver(items: ArrayLike<unknown>, position: number, before: Redelivered): void {
    if (before.losses < 2) return this.#open(items, position, before)
    for (let at = 0; at < items.length; at++) {
      this.#open([items[at]], position + at, { ...before, item: before.item + at })
    }
  }

  #measure({ cell, size }: MapChunk): void {
    // One that never ran tells nothing.
    if (this.#fixed !== undefined || Number.isNaN(cell.ran)) return
    const wanted = CHUNK_MILLIS / Math.max(cell.ran / size, 1e-6)
    const next = Math.min(wanted, this.#chunkSize * 4, LARGEST_CHUNK, this.#bufferSize / 4)
    this.#chunkSize = Math.max(1, Math.floor(next))
  }

  #arrival(): Promise<void> {
    const resume = this.#engine.waiting?.()
    return new Promise((resolve, reject) => {
      const left = this.#deadline! - performance.now()
      const expire = (): void => {
        reject(new TaskTimeoutError({ clock: "wait", after: this.#timeout }))
        void this.close()
      }
      const timer = left === Infinity ? undefined : setTimeout(expire, Math.min(Math.max(left, 0), LONGEST_DELAY))
      this.#wake = () => {
        this.#wake = undefined
        clearTimeout(timer)
        resume?.()
        resolve()
      }
    })
  }
}

/** The items from a position on. */
const rest = (items: ArrayLike<unknown>, from: number): ArrayLike<unknown> =>
  (items as ReadonlyArray<unknown>).slice(from)

const atLeastOne = (option: string, value: unknown, more = ""): void => {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return
  throw new InvalidOptionError({ option, received: value, expected: `a whole number of at least 1${more}` })
}
