/**
 * Many calls of one task, pulled from their input as their results are taken.
 *
 * ```
 * open ──▶ closed                   all was yielded, the map failed, or the loop was left
 * open ──▶ stopped ──▶ closed       its executor or its signal ended it: nothing more is pulled, what was pulled is yielded
 * ```
 *
 * Items are sent in chunks; each item has its own outcome whatever the chunking. The size of a chunk follows the measured time of an item. A chunk that
 * takes much longer returns the items that it has not started, which then run on any worker.
 */
import { LONGEST_DELAY, toMillis } from "../duration.ts"
import type { DurationInput } from "../duration.ts"
import { describe, TaskTimeoutError } from "../ExecutorError.ts"
import { infoOf } from "../Task.ts"
import type { TaskInfo } from "../Task.ts"
import { Status } from "../wire/frames.ts"
import type { ChunkLimits } from "../wire/frames.ts"
import { pack } from "../wire/items.ts"
import type { ItemOutcomes } from "../wire/items.ts"
import { codecOf } from "../worker/codec.ts"
import { whyClosed } from "./Admission.ts"
import { State } from "./Call.ts"
import type { CallForm } from "./CallForm.ts"
import type { Engine } from "./Engine.ts"
import { cancelledBy } from "./Failure.ts"
import type { Failure } from "./Failure.ts"
import type { FutureCell } from "./FutureCell.ts"
import { watchItem } from "./itemClock.ts"
import { firstDelivery, MapChunk } from "./MapChunk.ts"
import type { Outcome, OutcomeReader } from "./MapChunk.ts"
import { countOf, MapInput } from "./MapInput.ts"
import { MapLine } from "./MapLine.ts"
import { resolveMapOptions } from "./mapOptions.ts"
import type { MapOptions, ResolvedMapOptions } from "./mapOptions.ts"
import { isTurnLong, nextTurn } from "./turn.ts"

/** Worker time that a chunk aims at: hundreds of times the cost of a hand-over, small beside any balance that matters. */
const CHUNK_MS = 4
/** A chunk that has run for so long returns what it has not started. */
const LONGEST_CHUNK_MS = 5 * CHUNK_MS
const LARGEST_CHUNK = 16_384
/** Items that are pulled behind a slow one by default, at least. */
const LEAST_BUFFER = 1_024
/** Estimated bytes that a chunk may have by default, at least: below that a hand-over costs more than the balance is worth. */
const LEAST_CHUNK_BYTES = 2 ** 20
/** `here()` reads the clock once in so many calls. */
const CLOCK_EVERY = 64

export class MapRun<A> {
  readonly #engine: Engine
  readonly #form: CallForm
  readonly #task: unknown
  readonly #info: TaskInfo | undefined
  readonly #reader: OutcomeReader
  readonly #options: ResolvedMapOptions
  /** Whether each item is a tuple of arguments. */
  readonly #spread: boolean
  readonly #input: MapInput
  /** Whether each item is a call of its own: its options are those of a call. */
  readonly #alone: boolean
  readonly #fixed: number | undefined
  /** Chunks that are submitted and not settled, at most. */
  readonly #chunksAhead: number
  /** Estimated bytes of a chunk's items, and of its results, at most. */
  readonly #chunkBytes: number
  readonly #limits: ChunkLimits
  /** How many items there are, where the input can tell. */
  readonly #total: number | undefined
  readonly #line: MapLine
  #chunkSize: number
  /** Chunks that are submitted and not settled. */
  #unsettled = 0
  /** Items pulled and not yet yielded. */
  #ahead = 0
  /** Estimated bytes of those items, until the last of their chunk is yielded. */
  #bytes = 0
  /** The same of their results. */
  #resultBytes = 0
  /** Items without an outcome: pulled, and of these submitted. */
  #open = 0
  #running = 0
  /** Estimated bytes that a result is likely to have, from those before. */
  #expectedBytes = 0
  #doneItems = 0
  #failedItems = 0
  #asked = 0
  #deadline: number | undefined
  /** The executor had ended before the map began. */
  #refusal: Failure | undefined
  #closed = false
  #isSubmitting = false
  #wake: (() => void) | undefined
  /** Why nothing more is pulled, though the input has not ended. What was pulled is still yielded. */
  stoppedBy: Failure | undefined

  constructor(
    engine: Engine,
    form: CallForm,
    task: unknown,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options?: MapOptions,
    spread = false
  ) {
    const resolved = this.#options = resolveMapOptions(options)
    const { bufferBytes, chunkSize, itemTimeout, onProgress, ordered } = resolved
    this.#engine = engine
    this.#form = form
    this.#task = task
    const info = this.#info = infoOf(task)
    const definition = info?.definition
    this.#reader = { definition, codec: definition === undefined ? undefined : codecOf(definition) }
    this.#spread = spread
    this.#input = new MapInput(items, spread, () => this.#wake?.())
    this.#total = onProgress === undefined ? undefined : countOf(items)
    // A clock, a retry, a signal are a call's own: an item of a task that has any is a call.
    this.#alone = info === undefined || info.options !== undefined || engine.backend.single === true
    this.#fixed = this.#alone ? 1 : chunkSize
    this.#chunkSize = this.#fixed ?? 1
    this.#chunksAhead = 4 * engine.options.maxWorkers * engine.options.concurrency
    this.#chunkBytes = Math.min(bufferBytes, Math.max(LEAST_CHUNK_BYTES, bufferBytes / this.#chunksAhead))
    this.#limits = {
      ms: this.#fixed === undefined ? LONGEST_CHUNK_MS : Infinity,
      bytes: this.#chunkBytes,
      itemMs: itemTimeout
    }
    this.#line = new MapLine(ordered)
  }

  /** The task's label, for errors. */
  get label(): string | undefined {
    return this.#info?.options?.label ?? this.#reader.definition?.name
  }

  /** The next outcome; `undefined` at the end. Rejects with what the input threw, at its position. */
  async next(): Promise<Outcome<A> | undefined> {
    if (isTurnLong()) await nextTurn()
    if (this.#deadline === undefined) this.#start()
    if (this.#refusal !== undefined) throw this.#refuse(this.#refusal)
    while (!this.#closed) {
      const outcome = this.#here()
      if (outcome !== undefined) return outcome
      if (this.#isAtEnd) {
        this.#end()
        if (this.#input.error !== undefined) throw this.#input.error.error
        return undefined
      }
      await this.#arrival()
    }
    return undefined
  }

  /** The next outcome if it is here already, and the event loop has had its turn. */
  here(): Outcome<A> | undefined {
    if (++this.#asked % CLOCK_EVERY === 0 && isTurnLong()) return undefined
    return this.#here()
  }

  /** Whether the map's own signal has ended it: items that it cancelled are not yielded as outcomes. */
  isAborted(failure: Failure): boolean {
    return this.#options.signal?.aborted === true && failure === cancelledBy("signal")
  }

  /** The outcomes that are here already, without waiting. */
  ready(): Array<Outcome<A>> {
    const outcomes: Array<Outcome<A>> = []
    for (let outcome = this.#take(); outcome !== undefined; outcome = this.#take()) outcomes.push(outcome)
    return outcomes
  }

  /**
   * Cancels what has not started, and pulls no more. Waits until the input is closed, except while an item of it is on its way; `whole`: then, too.
   */
  async close(whole = false): Promise<void> {
    if (this.#closed) return
    for (const { cell } of this.#line) if (cell !== undefined) this.#engine.cancel(cell, "map")
    this.#end()
    this.#wake?.()
    await this.#input.close(whole)
  }

  #here(): Outcome<A> | undefined {
    if (this.#deadline === undefined) this.#start()
    if (this.#closed) return undefined
    if (!this.#input.isOver && (this.#options.bufferSize !== undefined || this.#unsettled < this.#chunksAhead)) {
      this.#fill()
    }
    return this.#take()
  }

  #start(): void {
    this.#deadline = performance.now() + this.#options.timeout
    const { signal } = this.#options
    if (signal?.aborted === true) return this.#abort()
    const ended = this.#whyEnded()
    if (ended !== undefined) {
      this.#refusal = ended
      this.#closed = true
      return
    }
    signal?.addEventListener("abort", this.#abort, { once: true })
  }

  /** Ends a map that never began. The error is thrown once. */
  #refuse(failure: Failure): unknown {
    this.#refusal = undefined
    void this.#input.close()
    return failure.build(this.label)
  }

  get #isAtEnd(): boolean {
    if (this.#line.first !== undefined) return false
    return this.#input.isOver && (!this.#input.isPulling || this.stoppedBy !== undefined)
  }

  #end(): void {
    this.#closed = true
    this.#options.signal?.removeEventListener("abort", this.#abort)
    this.#line.clear()
  }

  /** Why the executor, or the task's own signal, lets the map pull no more. */
  #whyEnded(): Failure | undefined {
    const { state } = this.#engine
    if (state !== "open") return whyClosed(this.#engine)
    if (this.#form.ended?.() === true) return cancelledBy("parent")
    if (this.#info?.options?.signal?.aborted === true) return cancelledBy("signal")
    return undefined
  }

  /** Pulls no more. What was pulled is yielded. */
  #stop(failure: Failure): void {
    if (this.stoppedBy !== undefined || this.#input.isExhausted) return
    this.stoppedBy = failure
    void this.#input.close().catch(() => {})
  }

  /** The map's signal: what is done is kept, the rest is cancelled. */
  readonly #abort = (): void => {
    if (this.#closed) return
    const failure = cancelledBy("signal")
    this.#stop(failure)
    for (const chunk of this.#line) {
      if (chunk.cell === undefined) this.#failed(chunk, failure)
      else if (!chunk.cell.done()) this.#engine.abort(chunk.cell, "signal")
    }
    this.#line.noneWaits()
    this.#wake?.()
  }

  #take(): Outcome<A> | undefined {
    const chunk = this.#line.next
    const outcome = chunk?.take<A>()
    if (outcome === undefined) return undefined
    this.#ahead--
    if (chunk!.isEmpty) this.#remove(chunk!)
    else if (!chunk!.hasOutcome) this.#line.noLongerReady(chunk!)
    return outcome
  }

  #remove(chunk: MapChunk): void {
    this.#line.remove(chunk)
    this.#bytes -= chunk.bytes
    this.#resultBytes -= chunk.resultBytes
  }

  /** Pulls items until enough is ahead, and submits chunks. */
  #fill(): void {
    const ended = this.#whyEnded()
    if (ended !== undefined) return this.#stop(ended)
    const { bufferSize = Math.max(LEAST_BUFFER, this.#chunksAhead * this.#chunkSize) } = this.#options
    while (!this.#input.isOver && this.#mayPull(bufferSize)) {
      const { bufferBytes } = this.#options
      const room = bufferSize - this.#ahead
      const isFull = this.#unsettled >= this.#chunksAhead
      const bytes = bufferBytes - this.#held
      const items = isFull
        ? this.#input.take(room, bytes)
        : this.#input.take(Math.min(this.#chunkSize, room), Math.min(this.#chunkBytes, bytes))
      if (items.length === 0) return
      const first = this.#input.pulled - items.length
      this.#ahead += items.length
      this.#open += items.length
      this.#bytes += this.#input.bytes
      if (this.#line.last?.extend(items, this.#input.bytes) !== true) {
        const size = items.length
        const rest = { captured: undefined, from: 0, size, bytes: this.#input.bytes, before: firstDelivery }
        this.#line.append(new MapChunk(this.#reader, { items, first, ...rest }))
      }
      this.#submitWaiting()
      // Somebody whom it called has closed it.
      if (this.#closed) return
    }
  }

  #mayPull(bufferSize: number): boolean {
    if (this.#ahead === 0) return true
    if (this.#options.bufferSize === undefined && this.#unsettled >= this.#chunksAhead) return false
    return this.#ahead < bufferSize && this.#held < this.#options.bufferBytes
  }

  /** Estimated bytes of all that is ahead, the results to come included. */
  get #held(): number {
    return this.#bytes + this.#resultBytes + this.#open * this.#expectedBytes
  }

  /** Submits what was pulled, as far as may be. */
  #submitWaiting(): void {
    // Refused calls settle at once, and come back to here.
    if (this.#isSubmitting) return
    this.#isSubmitting = true
    for (let chunk = this.#line.firstWaiting; chunk !== undefined; chunk = this.#line.firstWaiting) {
      if (this.#closed || !this.#maySubmit(chunk)) break
      const count = chunk.before.losses >= 2 ? 1 : Math.min(this.#chunkSize, chunk.size)
      if (count === chunk.size) {
        this.#line.leaveWaiting(chunk)
        this.#submit(chunk)
      } else {
        const part = chunk.split(count)
        this.#line.insertAfter(part, chunk.previous)
        this.#line.leaveWaiting(part)
        this.#submit(part)
      }
    }
    this.#isSubmitting = false
  }

  #maySubmit(chunk: MapChunk): boolean {
    // The executor ends when nothing of it is left: what it had accepted is submitted before.
    if (chunk.isCaptured && this.#engine.state !== "open") return true
    if (this.#unsettled >= this.#chunksAhead) return false
    // The first of the line is what the consumer waits for.
    const results = this.#resultBytes + this.#running * this.#expectedBytes
    if (results <= this.#options.bufferBytes || chunk === this.#line.first) return true
    return !this.#options.ordered && this.#unsettled === 0 && this.#line.next === undefined
  }

  #submit(chunk: MapChunk): void {
    this.#unsettled++
    const { submission } = chunk
    this.#running += submission.length
    chunk.submittedSize = submission.length
    const isOne = submission.length === 1 && (this.#alone || this.#limits.itemMs === Infinity)
    const cell = isOne ? this.#submitOne(chunk, submission[0]) : this.#submitTogether(chunk, submission)
    cell.watch()
    this.#form.spans?.submitted(cell)
    chunk.submitted(cell, isOne ? submission : cell.args[0] as ArrayLike<unknown> ?? submission)
    cell.observe(() => this.#settled(chunk))
  }

  #submitOne(chunk: MapChunk, item: unknown): FutureCell {
    const args = this.#spread ? [...item as Array<unknown>] : [item]
    const { item: index, key, losses } = chunk.before
    // What it was delivered before does not make it poison: it runs alone.
    const delivered = key === undefined ? undefined : { key: `${key}.${index}`, earlier: losses }
    const form = { ...this.#form, ...delivered, alone: true, again: chunk.isCaptured }
    const { itemMs } = this.#limits
    const info = this.#info
    if (itemMs === Infinity || info === undefined) return this.#engine.submit(this.#task, args, form)
    const { timeout = Infinity } = info.options ?? {}
    return this.#engine.accept({ ...info, options: { ...info.options, timeout: shorter(timeout, itemMs) } }, args, form)
  }

  #submitTogether(chunk: MapChunk, items: ArrayLike<unknown>): FutureCell {
    const sink = (outcomes: ItemOutcomes, size?: number): void => {
      this.#told(chunk, outcomes)
      if (size !== undefined && !this.#closed) this.#returned(chunk, size)
      this.#wake?.()
    }
    const each = this.#spread ? "spread" : "item"
    const packed = this.#reader.codec === undefined ? pack(items) : Array.from(items)
    const form = {
      ...this.#form,
      each,
      sink,
      ...chunk.before,
      limits: this.#limits,
      again: chunk.isCaptured
    } as const
    return this.#engine.submit(this.#task, [packed], form)
  }

  #told(chunk: MapChunk, outcomes: ItemOutcomes): void {
    if (this.#closed) return
    const { resultBytes, told } = chunk
    const failures = chunk.add(outcomes)
    this.#added(chunk, told, resultBytes, failures)
    if (this.#limits.itemMs !== Infinity && !this.#alone) watchItem(this.#engine, chunk, this.#limits.itemMs)
  }

  /** A chunk answers for its first items alone: something slow is among them. */
  #returned(chunk: MapChunk, size: number): void {
    if (!Number.isSafeInteger(size) || size <= chunk.told) return
    if (this.#fixed === undefined) this.#chunkSize = 1
    this.#resubmit(chunk, size)
    this.#submitWaiting()
  }

  #failed(chunk: MapChunk, failure: Failure, upTo = chunk.size): void {
    const { resultBytes, told } = chunk
    this.#added(chunk, told, resultBytes, chunk.fail(failure, upTo))
  }

  #added(chunk: MapChunk, told: number, resultBytes: number, failures: number): void {
    this.#resultBytes += chunk.resultBytes - resultBytes
    if (chunk.told === told) return
    this.#open -= chunk.told - told
    this.#line.becameReady(chunk)
    this.#progress(chunk.told - told, failures)
  }

  #progress(done: number, failed: number): void {
    const { onProgress } = this.#options
    if (onProgress === undefined) return
    this.#doneItems += done
    this.#failedItems += failed
    const { isOver, pulled } = this.#input
    const total = isOver && this.stoppedBy === undefined ? pulled : this.#total
    try {
      onProgress({ pulled, done: this.#doneItems, failed: this.#failedItems, total })
    } catch (error) {
      process.emitWarning(`onProgress threw: ${describe(error)}`, "FuturesWarning")
    }
  }

  #settled(chunk: MapChunk): void {
    this.#unsettled--
    this.#running -= chunk.submittedSize
    if (this.#closed) return
    const cell = chunk.cell!
    if (cell.code === State.Succeeded) {
      this.#told(chunk, cell.form.each === undefined ? [Status.Succeeded, cell.value] : cell.value as ItemOutcomes)
      this.#measure(chunk, cell)
      if (chunk.told < chunk.size) this.#resubmit(chunk, chunk.told)
    } else this.#lost(chunk, cell)
    this.#submitWaiting()
    this.#wake?.()
  }

  /** A chunk did not succeed as a whole. */
  #lost(chunk: MapChunk, cell: FutureCell): void {
    const { failure } = cell
    const { size, told } = chunk
    const over = chunk.begun(this.#engine.backend.remote === true)
    if (over !== undefined) {
      if (over > told) this.#failed(chunk, failure, over)
      this.#resubmit(chunk, over)
    } else if (cell.refused && size > 1 && this.#engine.state === "open") {
      // One of them is at fault: each is submitted alone, and has an outcome of its own.
      this.#resubmitEach(chunk)
    } else if (failure.lost === "redeliver") this.#redeliver(chunk, cell)
    else if (failure.lost !== undefined) {
      // Those behind never ran.
      const begun = failure.lost === "exact" ? told + 1 : Math.max(failure.begun ?? size, told)
      this.#failed(chunk, failure, Math.min(begun, size))
      if (begun < size) this.#resubmit(chunk, begun)
    } else this.#failed(chunk, failure)
  }

  /** Items of a chunk that have not run, from a position on, are submitted again. */
  #resubmit(chunk: MapChunk, at: number, before = chunk.beforeAt(at)): void {
    if (at >= chunk.size) return
    const rest = chunk.cut(at, before)
    this.#line.insertAfter(rest, chunk)
    if (chunk.isEmpty) this.#remove(chunk)
    this.#runAgain(rest)
  }

  /**
   * The machine under these items is gone: they run on another. When that has happened twice each runs alone, so that one that ends machines is found.
   */
  #redeliver(chunk: MapChunk, { form, key, losses }: FutureCell): void {
    this.#resubmit(chunk, chunk.told, { losses, key, item: (form.item ?? 0) + chunk.told })
  }

  #resubmitEach(chunk: MapChunk): void {
    while (chunk.size > 0) {
      const at = chunk.size - 1
      this.#line.insertAfter(chunk.cut(at, chunk.beforeAt(at), false), chunk)
    }
    this.#remove(chunk)
  }

  #runAgain(rest: MapChunk): void {
    const signal = this.#options.signal?.aborted === true
    if (!signal && !this.#engine.discards) return
    this.#line.leaveWaiting(rest)
    this.#failed(rest, cancelledBy(signal ? "signal" : "shutdown"))
  }

  #measure({ resultBytes, size, told }: MapChunk, { ran }: FutureCell): void {
    if (told > 0) this.#expectedBytes += (resultBytes / told - this.#expectedBytes) / 4
    // One that never ran tells nothing.
    if (this.#fixed !== undefined || Number.isNaN(ran) || told === 0) return
    const byTime = CHUNK_MS / Math.max(ran / told, 1e-6)
    const byBytes = this.#chunkBytes / Math.max(resultBytes / told, 1e-6)
    const isSlow = told < size && ran > LONGEST_CHUNK_MS
    const most = isSlow ? 1 : Math.min(this.#chunkSize * 4, LARGEST_CHUNK, (this.#options.bufferSize ?? Infinity) / 4)
    this.#chunkSize = Math.max(1, Math.floor(Math.min(byTime, byBytes, most)))
  }

  #arrival(): Promise<void> {
    const resume = this.#engine.waiting?.()
    return new Promise((resolve, reject) => {
      const { timeout } = this.#options
      const left = this.#deadline! - performance.now()
      const forget = this.#watchEnd()
      const expire = (): void => {
        reject(new TaskTimeoutError({ clock: "wait", after: timeout }))
        void this.close().catch(() => {})
      }
      const timer = left === Infinity ? undefined : setTimeout(expire, Math.min(Math.max(left, 0), LONGEST_DELAY))
      this.#wake = () => {
        this.#wake = undefined
        clearTimeout(timer)
        forget()
        resume?.()
        resolve()
      }
    })
  }

  /** While the consumer waits: goes on when the executor or the task's signal ends. */
  #watchEnd(): () => void {
    if (this.#input.isOver) return nothing
    const { ends } = this.#engine
    const signal = this.#info?.options?.signal
    const end = (): void => this.#wake?.()
    ends.add(end)
    signal?.addEventListener("abort", end)
    return () => {
      ends.delete(end)
      signal?.removeEventListener("abort", end)
    }
  }
}

const nothing = (): void => {}

/** The shorter of a call's own timeout and that of an item. */
const shorter = (timeout: DurationInput, itemMs: number): number => Math.min(toMillis(timeout, "timeout"), itemMs)
