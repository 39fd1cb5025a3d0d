/**
 * Many calls of one task, pulled from their input as their results are taken.
 *
 * ```
 * open ──▶ closed                   all was yielded, the map failed, or the loop was left
 * open ──▶ stopped ──▶ closed       its executor or its signal ended it: nothing more is pulled, what was pulled is yielded
 * ```
 *
 * Items are sent in chunks (`MapWork`). The size of a chunk follows the measured time of an item. A chunk that takes much longer returns
 * the items that it has not started, which then run on any worker.
 */
import { TaskTimeoutError } from "../ExecutorError.ts"
import { performance } from "../timers.ts"
import { whyClosed } from "./Admission.ts"
import type { CallForm } from "./CallForm.ts"
import type { Engine } from "./Engine.ts"
import { abortedBy, cancelledBy } from "./Failure.ts"
import type { Failure } from "./Failure.ts"
import { MapCalls } from "./MapCalls.ts"
import type { Outcome } from "./MapChunk.ts"
import { countOf, MapInput } from "./MapInput.ts"
import { resolveMapOptions } from "./mapOptions.ts"
import type { MapOptions, ResolvedMapOptions } from "./mapOptions.ts"
import { MapReport } from "./MapReport.ts"
import { MapWork } from "./MapWork.ts"
import { patience } from "./PatientTimer.ts"
import { isTurnLong, nextTurn } from "./turn.ts"

/** `here()` reads the clock once in so many calls. */
const CLOCK_EVERY = 64

export class MapRun<A> {
  readonly #engine: Engine
  readonly #form: CallForm
  readonly #options: ResolvedMapOptions
  readonly #calls: MapCalls
  readonly #input: MapInput
  readonly #work: MapWork
  readonly #report: MapReport | undefined
  /** How many items there are, where the input can tell. */
  readonly #total: number | undefined
  #asked = 0
  #deadline: number | undefined
  /** The executor had ended before the map began. */
  #refusal: Failure | undefined
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
    const { onProgress } = resolved
    this.#engine = engine
    this.#form = form
    this.#calls = new MapCalls(engine, form, task, spread)
    const wake = (): void => this.#wake?.()
    this.#input = new MapInput(items, spread, wake)
    this.#total = onProgress === undefined ? undefined : countOf(items)
    this.#report = onProgress === undefined ? undefined : new MapReport(onProgress)
    this.#work = new MapWork(engine, this.#calls, resolved, wake, (done, failed) => this.#progressed(done, failed))
  }

  /** The task's label, for errors. */
  get label(): string | undefined {
    return this.#calls.label
  }

  /** The next outcome; `undefined` at the end. Rejects with what the input threw, at its position. */
  async next(): Promise<Outcome<A> | undefined> {
    if (isTurnLong()) await nextTurn()
    if (this.#deadline === undefined) this.#start()
    if (this.#refusal !== undefined) throw this.#refuse(this.#refusal)
    while (!this.#work.isClosed) {
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
    return this.#options.signal?.aborted === true && failure.cancelled === "signal"
  }

  /** The outcomes that are here already, without waiting. */
  ready(): Array<Outcome<A>> {
    const outcomes: Array<Outcome<A>> = []
    for (let outcome = this.#work.take<A>(); outcome !== undefined; outcome = this.#work.take()) outcomes.push(outcome)
    return outcomes
  }

  /**
   * Cancels what has not started, and pulls no more. Waits until the input is closed, except while an item of it is on its way; `whole`: then, too.
   */
  async close(whole = false): Promise<void> {
    if (this.#work.isClosed) return
    this.#work.cancel()
    this.#end()
    this.#wake?.()
    await this.#input.close(whole)
  }

  #here(): Outcome<A> | undefined {
    if (this.#deadline === undefined) this.#start()
    if (this.#work.isClosed) return undefined
    if (!this.#input.isOver && !this.#work.buffer.isBlocked) this.#fill()
    return this.#work.take()
  }

  #start(): void {
    this.#deadline = performance.now() + this.#options.timeout
    const { signal } = this.#options
    if (signal?.aborted === true) return this.#abort()
    const ended = this.#whyEnded()
    if (ended !== undefined) {
      this.#refusal = ended
      this.#work.isClosed = true
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
    if (this.#work.line.first !== undefined) return false
    return this.#input.isOver && (!this.#input.isPulling || this.stoppedBy !== undefined)
  }

  #end(): void {
    this.#options.signal?.removeEventListener("abort", this.#abort)
    this.#work.close()
  }

  /** Why the executor, or the task's own signal, lets the map pull no more. */
  #whyEnded(): Failure | undefined {
    const { state } = this.#engine
    if (state !== "open") return whyClosed(this.#engine)
    if (this.#form.ended?.() === true) return cancelledBy("parent")
    const signal = this.#calls.info?.options?.signal
    if (signal?.aborted === true) return abortedBy(signal)
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
    if (this.#work.isClosed) return
    const failure = abortedBy(this.#options.signal!)
    this.#stop(failure)
    this.#work.abort(failure)
    this.#wake?.()
  }

  /** Pulls items until enough is ahead, and submits chunks. */
  #fill(): void {
    const ended = this.#whyEnded()
    if (ended !== undefined) return this.#stop(ended)
    const input = this.#input
    const { buffer, size } = this.#work
    const capacity = buffer.capacity(size.items)
    while (!input.isOver && buffer.mayPull(capacity)) {
      const free = capacity - buffer.items
      const bytes = buffer.bytesLeft
      const items = buffer.isFull
        ? input.take(free, bytes)
        : input.take(Math.min(size.items, free), Math.min(buffer.chunkBytes, bytes))
      if (items.length === 0) return
      this.#work.add(items, input.pulled - items.length, input.bytes)
      // A callback has closed it.
      if (this.#work.isClosed) return
    }
  }

  #progressed(done: number, failed: number): void {
    if (this.#report === undefined) return
    const { isOver, pulled } = this.#input
    this.#report.progressed(done, failed, pulled, isOver && this.stoppedBy === undefined ? pulled : this.#total)
  }

  #arrival(): Promise<void> {
    const resume = this.#engine.waiting?.()
    return new Promise((resolve, reject) => {
      const { timeout } = this.#options
      const left = this.#deadline! - performance.now()
      const forget = this.#watchEnd()
      const expire = (): void => {
        reject(this.#ranOut(timeout))
        void this.close().catch(() => {})
      }
      const timer = left === Infinity ? undefined : patience(Math.max(left, 0), expire)
      this.#wake = () => {
        this.#wake = undefined
        timer?.clear()
        forget()
        resume?.()
        resolve()
      }
    })
  }

  #ranOut(after: number): TaskTimeoutError {
    const { buffer, line } = this.#work
    const awaited = buffer.items === 0 ? "its input" : this.#options.ordered ? `item ${line.first!.nextIndex}` : "items"
    const task = this.label === undefined ? "" : ` of task ${JSON.stringify(this.label)}`
    const message = `The map${task} timed out after ${after} ms (wait timeout), waiting for ${awaited}: ` +
      `${this.#input.pulled} items pulled, ${buffer.items} of them not yielded`
    return new TaskTimeoutError({ clock: "wait", after, message })
  }

  /** While the consumer waits: goes on when the executor or the task's signal ends. */
  #watchEnd(): () => void {
    if (this.#input.isOver) return nothing
    const { ends } = this.#engine
    const signal = this.#calls.info?.options?.signal
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
