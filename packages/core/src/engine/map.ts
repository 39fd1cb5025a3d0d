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
import type { ErrorRecord } from "../wire/error.ts"
import { Status } from "../wire/frames.ts"
import { codecOf } from "../worker/codec.ts"
import type { TaskCodec } from "../worker/codec.ts"
import type { TaskDefinition } from "../worker/registry.ts"
import { State } from "./Call.ts"
import type { CallForm } from "./CallForm.ts"
import type { Engine } from "./Engine.ts"
import { cancelledBy, failureOf } from "./Failure.ts"
import type { Failure } from "./Failure.ts"
import type { FutureCell } from "./FutureCell.ts"

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

/** One item's outcome. */
export type Outcome<A> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly failure: Failure }

interface Chunk {
  readonly cell: FutureCell
  /** What was pulled. */
  readonly items: ReadonlyArray<unknown>
  /** The same as it was captured. */
  readonly captured: ReadonlyArray<unknown>
  /** How many it answers for. */
  size: number
  /** Flat list of `status` and value per item, as far as they are known. */
  readonly outcomes: Array<unknown>
  /** The next item to yield. */
  cursor: number
}

/** Worker time that a chunk aims at, in milliseconds: hundreds of times the cost of a hand-over, small beside any balance that matters. */
const CHUNK_MILLIS = 4
const LARGEST_CHUNK = 16_384

export class MapRun<A> {
  readonly #engine: Engine
  readonly #form: CallForm
  readonly #task: unknown
  readonly #definition: TaskDefinition | undefined
  /** Translates the values of chunks; single calls come translated. */
  readonly #codec: TaskCodec | undefined
  /** Whether each item is a tuple of arguments. */
  readonly #spread: boolean
  readonly #source: Iterator<unknown> | AsyncIterator<unknown>
  readonly #fixed: number | undefined
  readonly #bufferSize: number
  readonly #ordered: boolean
  readonly #onProgress: MapOptions["onProgress"]
  #pulledItems = 0
  #doneItems = 0
  #failedItems = 0
  /** How many items there are, once it is known. */
  #total: number | undefined
  readonly #timeout: number
  #deadline: number | undefined
  /** Chunks handed in and not yet yielded to the end, oldest first. */
  #chunks: Array<Chunk> = []
  #chunkSize: number
  /** Items pulled and not yet yielded. */
  #ahead = 0
  /** An item that is being pulled from an asynchronous input. */
  #pulling = false
  #collected: Array<unknown> = []
  #exhausted = false
  /** What the input threw, yielded at its position. */
  #inputError: { readonly error: unknown } | undefined
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
    this.#definition = infoOf(task)?.definition
    this.#codec = this.#definition === undefined ? undefined : codecOf(this.#definition)
    this.#spread = spread
    this.#source = iteratorOf(items)
    this.#total = onProgress === undefined ? undefined : countOf(items)
    // A clock, a retry, a signal are an item's own: one that has any travels alone.
    const alone = infoOf(task)?.options !== undefined
    this.#fixed = alone ? 1 : chunkSize === "auto" ? undefined : chunkSize
    this.#chunkSize = this.#fixed ?? 1
    this.#bufferSize = bufferSize ?? Infinity
    this.#ordered = ordered
    this.#onProgress = onProgress
    this.#timeout = timeout === undefined ? Infinity : toMillis(timeout, "timeout")
  }

  /** The next outcome; `undefined` at the end. Rejects with what the input threw, at its position. */
  async next(): Promise<Outcome<A> | undefined> {
    this.#deadline ??= performance.now() + this.#timeout
    while (!this.#closed) {
      this.#fill()
      const outcome = this.#take()
      if (outcome !== undefined) return outcome
      if (this.#exhausted && !this.#pulling && this.#chunks.length === 0 && this.#collected.length === 0) {
        this.#closed = true
        if (this.#inputError !== undefined) throw this.#inputError.error
        return undefined
      }
      await this.#arrival()
    }
    return undefined
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
    if (!this.#exhausted) await this.#source.return?.()
  }

  #take(): Outcome<A> | undefined {
    const index = this.#ordered ? 0 : this.#chunks.findIndex(hasOutcome)
    const chunk = this.#chunks[index]
    if (chunk === undefined || !hasOutcome(chunk)) return undefined
    const at = chunk.cursor * 2
    const outcome = this.#outcome(chunk, chunk.outcomes[at], chunk.outcomes[at + 1])
    this.#ahead--
    if (++chunk.cursor === chunk.size) this.#chunks.splice(index, 1)
    return outcome
  }

  #outcome({ cell }: Chunk, status: unknown, value: unknown): Outcome<A> {
    switch (status) {
      case Status.Succeeded:
        return cell.form.each === undefined ? { ok: true, value: value as A } : this.#decoded(value)
      case Status.Interrupted:
        return { ok: false, failure: cancelledBy("interrupt") }
      case WHOLE:
        return { ok: false, failure: value as Failure }
      default:
        return { ok: false, failure: failureOf(this.#definition!, status as number, value as ErrorRecord) }
    }
  }

  #decoded(value: unknown): Outcome<A> {
    if (this.#codec === undefined) return { ok: true, value: value as A }
    try {
      return { ok: true, value: this.#codec.decodeSuccess(value) as A }
    } catch (error) {
      return { ok: false, failure: { kind: "threw", build: () => error } }
    }
  }

  /** Pulls items and hands chunks in until enough is ahead. */
  #fill(): void {
    const { concurrency, maxWorkers } = this.#engine.options
    const chunksAhead = 4 * maxWorkers * concurrency
    while (!this.#exhausted && !this.#pulling && this.#chunks.length < chunksAhead && this.#ahead < this.#bufferSize) {
      let pulled: IteratorResult<unknown> | Promise<IteratorResult<unknown>>
      try {
        pulled = this.#source.next()
      } catch (error) {
        this.#end({ error })
        break
      }
      if (pulled instanceof Promise) {
        // Those collected so far do not wait for an input that takes its time.
        this.#hand()
        this.#pulling = true
        pulled.then((result) => this.#pulled(result), (error) => this.#end({ error })).finally(() => {
          this.#pulling = false
          this.#wake?.()
        })
        return
      }
      try {
        this.#pulled(pulled)
      } catch (error) {
        this.#end({ error })
      }
    }
    this.#hand()
  }

  #pulled(result: IteratorResult<unknown>): void {
    if (result.done === true) return this.#end(undefined)
    if (this.#closed) return
    this.#collected.push(this.#spread ? [...result.value as Iterable<unknown>] : result.value)
    this.#ahead++
    this.#pulledItems++
    if (this.#collected.length >= this.#chunkSize) this.#hand()
  }

  #end(inputError: { readonly error: unknown } | undefined): void {
    this.#exhausted = true
    this.#total = this.#pulledItems
    this.#inputError = inputError
    this.#hand()
  }

  /** Hands in the items collected so far. */
  #hand(): void {
    if (this.#collected.length === 0) return
    const items = this.#collected
    this.#collected = []
    this.#open(items, this.#chunks.length)
  }

  /** Hands in a chunk, whose outcomes are yielded at a position among the others. */
  #open(items: ReadonlyArray<unknown>, position: number, losses = 0): void {
    const outcomes: Array<unknown> = []
    const sink = (more: ReadonlyArray<unknown>): void => {
      const known = outcomes.length
      for (const each of more) outcomes.push(each)
      this.#done(outcomes, known)
      this.#wake?.()
    }
    const cell = items.length > 1
      ? this.#engine.submit(this.#task, [items], {
        ...this.#form,
        each: this.#spread ? "spread" : "item",
        sink,
        losses
      })
      : this.#engine.submit(this.#task, this.#spread ? items[0] as Array<unknown> : [items[0]], {
        ...this.#form,
        alone: true
      })
    cell.watch()
    this.#form.spans?.submitted(cell)
    const chunk: Chunk = {
      cell,
      items,
      captured: cell.args[0] as Array<unknown>,
      size: items.length,
      outcomes,
      cursor: 0
    }
    this.#chunks.splice(position, 0, chunk)
    cell.observe(() => {
      const known = outcomes.length
      this.#settled(chunk)
      this.#done(outcomes, known)
      this.#wake?.()
    })
  }

  /** Tells of the outcomes from a position on. */
  #done(outcomes: ReadonlyArray<unknown>, from: number): void {
    if (this.#onProgress === undefined || outcomes.length === from) return
    this.#doneItems += (outcomes.length - from) / 2
    for (let at = from; at < outcomes.length; at += 2) if (outcomes[at] !== Status.Succeeded) this.#failedItems++
    try {
      this.#onProgress({
        pulled: this.#pulledItems,
        done: this.#doneItems,
        failed: this.#failedItems,
        total: this.#total
      })
    } catch (error) {
      process.emitWarning(`onProgress threw: ${describe(error)}`, "FuturesWarning")
    }
  }

  #settled(chunk: Chunk): void {
    const { captured, cell, items, outcomes, size } = chunk
    if (cell.code === State.Succeeded) {
      if (size > 1) { for (const each of cell.value as ReadonlyArray<unknown>) outcomes.push(each) }
      else outcomes.push(Status.Succeeded, cell.value)
      return this.#measure(chunk)
    }
    const position = this.#chunks.indexOf(chunk)
    const told = outcomes.length / 2
    if (cell.refused && size > 1) {
      // One of them is at fault: each is handed in alone, and answers for itself.
      this.#chunks.splice(position, 1)
      for (let at = 0; at < size; at++) this.#open([items[at]], position + at)
    } else if (cell.failure.lost === "exact" && this.#codec === undefined && told < size - 1 && position >= 0) {
      // The worker died under one item and said so: those behind it never ran.
      outcomes.push(WHOLE, cell.failure)
      chunk.size = told + 1
      this.#open(captured.slice(told + 1), position + 1)
    } else if (cell.failure.lost === "redeliver" && position >= 0) {
      const rest = (this.#codec === undefined ? captured : items).slice(told)
      chunk.size = told
      if (told === chunk.cursor) this.#chunks.splice(position, 1)
      this.#redeliver(rest, told === chunk.cursor ? position : position + 1, cell.losses)
    } else for (let at = told; at < size; at++) outcomes.push(WHOLE, cell.failure)
  }

  /** The machine under these items died: they run on another; when that has happened twice each runs alone, so that one that kills machines is found. */
  #redeliver(items: ReadonlyArray<unknown>, position: number, losses: number): void {
    if (losses < 2) return this.#open(items, position, losses)
    items.forEach((item, at) => this.#open([item], position + at))
  }

  #measure({ cell, size }: Chunk): void {
    if (this.#fixed !== undefined) return
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

/** In place of a status: the failure of the whole chunk, shared by its items. */
const WHOLE = -1

const hasOutcome = ({ cursor, outcomes }: Chunk): boolean => cursor * 2 < outcomes.length

const iteratorOf = (items: Iterable<unknown> | AsyncIterable<unknown>): Iterator<unknown> | AsyncIterator<unknown> => {
  const asynchronous = (items as Partial<AsyncIterable<unknown>> | null | undefined)?.[Symbol.asyncIterator]
  if (typeof asynchronous === "function") return asynchronous.call(items)
  const synchronous = (items as Partial<Iterable<unknown>> | null | undefined)?.[Symbol.iterator]
  if (typeof synchronous === "function") return synchronous.call(items)
  throw new InvalidOptionError({ option: "items", received: items, expected: "an Iterable or an AsyncIterable" })
}

/** How many items there are, where that can be told without pulling them: arrays, typed arrays, sets, maps. */
const countOf = (items: unknown): number | undefined => {
  // The length of a string is not the number of its characters.
  if (typeof items !== "object" || items === null) return undefined
  const { length, size } = items as { readonly length?: unknown; readonly size?: unknown }
  return [length, size].find((each) => typeof each === "number")
}

const atLeastOne = (option: string, value: unknown, more = ""): void => {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return
  throw new InvalidOptionError({ option, received: value, expected: `a whole number of at least 1${more}` })
}

/** Yields values; the first failure ends it and cancels the rest. */
export const mapValues = <A>(run: MapRun<A>): AsyncIterableIterator<A> =>
  iterable(run, async (outcome) => {
    if (outcome.ok) return outcome.value
    await run.close()
    throw outcome.failure.build()
  })

/** Yields outcomes as data and goes on after failures (`Promise.allSettled`). */
export const mapSettled = <A>(run: MapRun<A>): AsyncIterableIterator<PromiseSettledResult<A>> =>
  iterable(
    run,
    (outcome) =>
      outcome.ok
        ? { status: "fulfilled", value: outcome.value }
        : { status: "rejected", reason: outcome.failure.build() }
  )

const iterable = <A, B>(
  run: MapRun<A>,
  yielded: (outcome: Outcome<A>) => B | Promise<B>
): AsyncIterableIterator<B> => {
  const step = async (): Promise<IteratorResult<B>> => {
    const outcome = await run.next()
    return outcome === undefined ? { done: true, value: undefined } : { done: false, value: await yielded(outcome) }
  }
  /** The last `next` that was asked: those asked meanwhile are answered in turn. */
  let last: Promise<unknown> | undefined
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next() {
      const next = last === undefined ? step() : last.then(step, step)
      last = next
      const over = (): void => {
        if (last === next) last = undefined
      }
      next.then(over, over)
      return next
    },
    async return() {
      await run.close()
      return { done: true, value: undefined }
    }
  }
}
