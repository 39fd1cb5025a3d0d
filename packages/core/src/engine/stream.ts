/**
 * A generator task, from the caller's side: items come in batches, and the worker is given leave for as many more as were taken.
 *
 * ```
 * open ──▶ ended               the generator returned, or threw: after its last item
 * open ──▶ closing ──▶ ended   the caller left: the generator is stopped, its `finally` runs, then closing is over
 * ```
 */
import { STREAM_WINDOW } from "../wire/frames.ts"
import { State } from "./Call.ts"
import type { CallForm } from "./CallForm.ts"
import type { Engine } from "./Engine.ts"
import type { Failure } from "./Failure.ts"
import type { FutureCell } from "./FutureCell.ts"
import { isTurnLong, nextTurn } from "./turn.ts"

/** Leave is given in halves of the window, so that one frame serves several items and the worker never has to stop. */
const BATCH = STREAM_WINDOW / 2

export class StreamRun<A> {
  readonly #engine: Engine
  readonly #cell: FutureCell
  #items: Array<A> = []
  #cursor = 0
  #taken = 0
  #asked = 0
  #closed = false
  #wake: (() => void) | undefined

  constructor(engine: Engine, form: CallForm, task: unknown, args: Array<unknown>) {
    this.#engine = engine
    const sink: CallForm["sink"] = (items) => {
      for (const item of items as ReadonlyArray<unknown>) this.#items.push(item as A)
      this.#wake?.()
    }
    this.#cell = engine.submit(task, args, { ...form, sink })
    this.#cell.watch()
    form.spans?.submitted(this.#cell)
    this.#cell.observe(() => this.#wake?.())
  }

  /** How it failed, once it has and every item was taken. */
  get failure(): Failure | undefined {
    if (this.#closed || this.#cell.code <= State.Succeeded) return undefined
    return this.#cell.failure
  }

  /** The task's label, for errors. */
  get label(): string {
    return this.#cell.label
  }

  /** The items that are here, at least one; `undefined` at the end, or when it failed. */
  async next(): Promise<ReadonlyArray<A> | undefined> {
    while (!this.#closed && this.#cursor === this.#items.length) {
      if (this.#cell.done()) return undefined
      await this.#arrival()
    }
    if (this.#closed) return undefined
    const items = this.#items.slice(this.#cursor)
    this.#took(items.length)
    return items
  }

  /** The next item alone. */
  async one(): Promise<{ readonly item: A } | undefined> {
    if (++this.#asked % 64 === 0 && isTurnLong()) await nextTurn()
    while (!this.#closed && this.#cursor === this.#items.length) {
      if (this.#cell.done()) return undefined
      await this.#arrival()
    }
    if (this.#closed) return undefined
    const item = this.#items[this.#cursor]!
    this.#took(1)
    return { item }
  }

  /** Stops the generator; resolves once its `finally` has run. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#items = []
    this.#wake?.()
    if (!this.#cell.done()) await this.#engine.interrupt(this.#cell)
  }

  async #arrival(): Promise<void> {
    const resume = this.#engine.waiting?.()
    await new Promise<void>((resolve) => this.#wake = resolve)
    resume?.()
  }

  #took(count: number): void {
    this.#cursor += count
    if (this.#cursor === this.#items.length) {
      this.#items = []
      this.#cursor = 0
    }
    this.#taken += count
    if (this.#taken < BATCH) return
    this.#cell.lane?.credit(this.#cell, this.#taken)
    this.#taken = 0
  }
}

/** Yields items; the generator's error comes after its last item. */
export const streamValues = <A>(run: StreamRun<A>): AsyncIterableIterator<A> => ({
  [Symbol.asyncIterator]() {
    return this
  },
  async next() {
    const next = await run.one()
    if (next !== undefined) return { done: false, value: next.item }
    const { failure } = run
    await run.close()
    if (failure !== undefined) throw failure.build(run.label)
    return { done: true, value: undefined }
  },
  async return() {
    await run.close()
    return { done: true, value: undefined }
  }
})
