/**
 * The chunks of a map between pulling and yielding: they wait, are submitted, get outcomes. Each item has its own outcome, whatever the chunks are.
 *
 * ```
 * waiting ──▶ submitted ──▶ told            an outcome of each item
 * submitted ──▶ waiting                     items that have not started: their chunk was slow, or its worker was lost
 * ```
 */
import { Status } from "../wire/frames.ts"
import type { ChunkLimits } from "../wire/frames.ts"
import type { ItemOutcomes } from "../wire/items.ts"
import { State } from "./Call.ts"
import { ChunkSize } from "./ChunkSize.ts"
import type { Engine } from "./Engine.ts"
import { abortedBy, cancelledBy } from "./Failure.ts"
import type { Failure } from "./Failure.ts"
import type { FutureCell } from "./FutureCell.ts"
import { watchItem } from "./itemClock.ts"
import { MapBuffer } from "./MapBuffer.ts"
import type { MapCalls } from "./MapCalls.ts"
import { firstDelivery, MapChunk } from "./MapChunk.ts"
import type { Outcome } from "./MapChunk.ts"
import { MapLine } from "./MapLine.ts"
import type { ResolvedMapOptions } from "./mapOptions.ts"

export class MapWork {
  readonly #engine: Engine
  readonly #calls: MapCalls
  readonly #options: ResolvedMapOptions
  readonly #changed: () => void
  readonly #progressed: (done: number, failed: number) => void
  readonly #limits: ChunkLimits
  readonly line: MapLine
  readonly buffer: MapBuffer
  readonly size: ChunkSize
  isClosed = false
  #isSubmitting = false

  /** `changed` is called when outcomes have come, `progressed` with how many items they are of. */
  constructor(
    engine: Engine,
    calls: MapCalls,
    options: ResolvedMapOptions,
    changed: () => void,
    progressed: (done: number, failed: number) => void
  ) {
    this.#engine = engine
    this.#calls = calls
    this.#options = options
    this.#changed = changed
    this.#progressed = progressed
    const { bufferSize, chunkSize, itemTimeout, ordered } = options
    this.line = new MapLine(ordered)
    this.buffer = new MapBuffer(
      options,
      engine.options.maxWorkers * engine.options.concurrency,
      () => engine.farWindowMs
    )
    this.size = new ChunkSize(calls.alone ? 1 : chunkSize, this.buffer.chunkBytes, bufferSize)
    this.#limits = { ms: this.size.longestMs, bytes: this.buffer.chunkBytes, itemMs: itemTimeout }
  }

  /** Adds items that were pulled, the first of them at a position of the input, and submits what it may. */
  add(items: ArrayLike<unknown>, first: number, bytes: number): void {
    this.buffer.pulled(items.length, bytes)
    if (this.line.last?.extend(items, bytes) !== true) {
      const rest = { captured: undefined, from: 0, size: items.length, bytes, before: firstDelivery }
      this.line.append(new MapChunk(this.#calls.reader, { items, first, ...rest }))
    }
    this.#submitWaiting()
  }

  /** The next outcome, if there is one. */
  take<A>(): Outcome<A> | undefined {
    const chunk = this.line.next
    const outcome = chunk?.take<A>()
    if (outcome === undefined) return undefined
    this.buffer.items--
    if (chunk!.isEmpty) this.#remove(chunk!)
    else if (chunk!.hasOutcome) return outcome
    else this.line.noLongerReady(chunk!)
    // What waited for capacity may be what the consumer waits for now.
    if (this.line.firstWaiting !== undefined) this.#submitWaiting()
    return outcome
  }

  /** Cancels what has not started, and interrupts what runs. What is done is kept. */
  abort(failure: Failure): void {
    for (const chunk of this.line) {
      if (chunk.cell === undefined) this.#failed(chunk, failure)
      else if (!chunk.cell.done()) this.#engine.abort(chunk.cell, failure)
    }
    this.line.noneWaits()
  }

  cancel(): void {
    const failure = cancelledBy("map")
    for (const { cell } of this.line) {
      if (cell === undefined || this.#engine.cancel(cell, failure)) continue
      // A far machine holds it: asked for, it comes back if it has not started. A worker is not ended for it.
      if (cell.code === State.Pending) void this.#engine.interrupt(cell, Infinity, failure)
    }
  }

  close(): void {
    this.isClosed = true
    this.line.clear()
  }

  /** Submits what was pulled, as far as it may. */
  #submitWaiting(): void {
    // Refused calls settle at once, and come back to here.
    if (this.#isSubmitting) return
    this.#isSubmitting = true
    for (let chunk = this.line.firstWaiting; chunk !== undefined; chunk = this.line.firstWaiting) {
      if (this.isClosed || !this.#maySubmit(chunk)) break
      const count = chunk.before.losses >= 2 ? 1 : Math.min(this.size.items, chunk.size)
      if (count === chunk.size) {
        this.line.leaveWaiting(chunk)
        this.#submit(chunk)
      } else {
        const part = chunk.split(count)
        this.line.insertAfter(part, chunk.previous)
        this.line.leaveWaiting(part)
        this.#submit(part)
      }
    }
    this.#isSubmitting = false
  }

  #maySubmit(chunk: MapChunk): boolean {
    // The executor ends when nothing of it is left: what it had accepted is submitted before.
    if (chunk.isCaptured && this.#engine.state !== "open") return true
    if (this.buffer.isFull) return false
    // The first of the line is what the consumer waits for.
    if (this.buffer.hasResultCapacity || chunk === this.line.first) return true
    return !this.#options.ordered && this.buffer.unsettled === 0 && this.line.next === undefined
  }

  #submit(chunk: MapChunk): void {
    const { size } = chunk
    this.buffer.unsettled++
    this.buffer.running += size
    chunk.submittedSize = size
    // Its clock would count the time that the chunk waits on a far machine.
    const expectedMs = this.#limits.itemMs === Infinity ? this.size.expectedMs(size) : undefined
    const cell = this.#calls.submit(chunk, this.#limits, expectedMs, (outcomes, left) => {
      this.#told(chunk, outcomes)
      if (left !== undefined && !this.isClosed) this.#returned(chunk, left)
      this.#changed()
    })
    cell.observe(() => this.#settled(chunk))
  }

  #told(chunk: MapChunk, outcomes: ItemOutcomes): void {
    if (this.isClosed) return
    const { resultBytes, told } = chunk
    const failures = chunk.add(outcomes)
    this.#added(chunk, told, resultBytes, failures)
    if (this.#limits.itemMs !== Infinity && !this.#calls.alone) watchItem(this.#engine, chunk, this.#limits.itemMs)
  }

  /** The worker keeps the first items of a chunk only: something slow is among them. */
  #returned(chunk: MapChunk, left: number): void {
    if (!Number.isSafeInteger(left) || left <= chunk.told) return
    this.size.returned()
    this.#resubmit(chunk, left)
    this.#submitWaiting()
  }

  #failed(chunk: MapChunk, failure: Failure, upTo = chunk.size): void {
    const { resultBytes, told } = chunk
    this.#added(chunk, told, resultBytes, chunk.fail(failure, upTo))
  }

  #added(chunk: MapChunk, told: number, resultBytes: number, failures: number): void {
    this.buffer.resultBytes += chunk.resultBytes - resultBytes
    if (chunk.told === told) return
    this.buffer.open -= chunk.told - told
    this.line.becameReady(chunk)
    this.#progressed(chunk.told - told, failures)
  }

  #settled(chunk: MapChunk): void {
    this.buffer.unsettled--
    this.buffer.running -= chunk.submittedSize
    if (this.isClosed) return
    const cell = chunk.cell!
    if (cell.code === State.Succeeded) {
      this.#told(chunk, cell.form.each === undefined ? [Status.Succeeded, cell.value] : cell.value as ItemOutcomes)
      this.#measure(chunk, cell)
      if (chunk.told < chunk.size) this.#resubmit(chunk, chunk.told)
    } else this.#lost(chunk, cell)
    this.#submitWaiting()
    this.#changed()
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
    this.line.insertAfter(rest, chunk)
    if (chunk.isEmpty) this.#remove(chunk)
    this.#runAgain(rest)
  }

  /** The machine under these items is gone: they run on another. When that has happened twice each runs alone, so that the culprit is found. */
  #redeliver(chunk: MapChunk, { form, key, losses }: FutureCell): void {
    this.#resubmit(chunk, chunk.told, { losses, key, item: (form.item ?? 0) + chunk.told })
  }

  #resubmitEach(chunk: MapChunk): void {
    while (chunk.size > 0) {
      const at = chunk.size - 1
      this.line.insertAfter(chunk.cut(at, chunk.beforeAt(at), false), chunk)
    }
    this.#remove(chunk)
  }

  #runAgain(rest: MapChunk): void {
    const { signal } = this.#options
    const isAborted = signal?.aborted === true
    if (!isAborted && !this.#engine.discards) return
    this.line.leaveWaiting(rest)
    this.#failed(rest, isAborted ? abortedBy(signal) : cancelledBy("shutdown"))
  }

  #remove(chunk: MapChunk): void {
    this.line.remove(chunk)
    this.buffer.removed(chunk)
  }

  #measure({ resultBytes, size, told }: MapChunk, { ran }: FutureCell): void {
    if (told === 0) return
    this.buffer.measured(resultBytes / told)
    this.size.measured(ran, told, size, resultBytes / told)
  }
}
