/** Submits the chunks of a map: as one call each, or, where an item has to be a call of its own, as such. */
import { toMillis } from "../duration.ts"
import type { DurationInput } from "../duration.ts"
import { infoOf } from "../Task.ts"
import type { TaskInfo } from "../Task.ts"
import type { ChunkLimits } from "../wire/frames.ts"
import { pack } from "../wire/items.ts"
import type { ItemOutcomes } from "../wire/items.ts"
import { codecOf } from "../worker/codec.ts"
import type { CallForm } from "./CallForm.ts"
import type { Engine } from "./Engine.ts"
import type { FutureCell } from "./FutureCell.ts"
import type { MapChunk, OutcomeReader } from "./MapChunk.ts"

/** Called with outcomes of a chunk's next items; `size`: the worker returned all behind so many. */
type Sink = (outcomes: ItemOutcomes, size?: number) => void

export class MapCalls {
  readonly #engine: Engine
  readonly #form: CallForm
  readonly #task: unknown
  readonly info: TaskInfo | undefined
  readonly reader: OutcomeReader
  /** Whether each item is a tuple of arguments. */
  readonly #spread: boolean
  /** Whether each item is a call of its own: its options are those of a call. */
  readonly alone: boolean

  constructor(engine: Engine, form: CallForm, task: unknown, spread: boolean) {
    this.#engine = engine
    this.#form = form
    this.#task = task
    this.#spread = spread
    const info = this.info = infoOf(task)
    const definition = info?.definition
    this.reader = { definition, codec: definition === undefined ? undefined : codecOf(definition) }
    // A timeout, a retry, a signal belong to one call: an item of a task that has any is a call.
    this.alone = info === undefined || info.options !== undefined || engine.backend.single === true
  }

  /** The task's label, for errors. */
  get label(): string | undefined {
    return this.info?.options?.label ?? this.reader.definition?.name
  }

  /** `expectedMs`: expected run time of the chunk, if known. */
  submit(chunk: MapChunk, limits: ChunkLimits, expectedMs: number | undefined, sink: Sink): FutureCell {
    const { submission } = chunk
    const isOne = submission.length === 1 && (this.alone || limits.itemMs === Infinity)
    const cell = isOne
      ? this.#submitOne(chunk, submission[0], limits.itemMs)
      : this.#submitTogether(chunk, submission, { limits, expectedMs, sink })
    cell.watch()
    this.#form.spans?.submitted(cell)
    chunk.submitted(cell, isOne ? submission : cell.args[0] as ArrayLike<unknown> ?? submission)
    return cell
  }

  #submitOne(chunk: MapChunk, item: unknown, itemMs: number): FutureCell {
    const args = this.#spread ? [...item as Array<unknown>] : [item]
    const { item: index, key, losses } = chunk.before
    // Earlier deliveries do not make it poison: it runs alone.
    const delivered = key === undefined ? undefined : { key: `${key}.${index}`, earlier: losses }
    const form = { ...this.#form, ...delivered, alone: true, again: chunk.isCaptured }
    const { info } = this
    if (itemMs === Infinity || info === undefined) return this.#engine.submit(this.#task, args, form)
    const { timeout = Infinity } = info.options ?? {}
    return this.#engine.accept({ ...info, options: { ...info.options, timeout: shorter(timeout, itemMs) } }, args, form)
  }

  #submitTogether(
    chunk: MapChunk,
    items: ArrayLike<unknown>,
    own: { readonly limits: ChunkLimits; readonly expectedMs: number | undefined; readonly sink: Sink }
  ): FutureCell {
    const each = this.#spread ? "spread" : "item"
    const packed = this.reader.codec === undefined ? pack(items) : Array.from(items)
    const form = { ...this.#form, each, ...own, ...chunk.before, again: chunk.isCaptured } as const
    return this.#engine.submit(this.#task, [packed], form)
  }
}

/** The shorter of a call's own timeout and that of an item. */
const shorter = (timeout: DurationInput, itemMs: number): number => Math.min(toMillis(timeout, "timeout"), itemMs)
