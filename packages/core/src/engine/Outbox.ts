/** Calls on their way to a worker: collected until the lane is flushed, then one frame. */
import type { Backend } from "../Backend.ts"
import { addCall, callEnd, HEADER, Kind, STREAM_WINDOW } from "../wire/frames.ts"
import type { CallMeta, Frame, RemoteOptions, TaskReference } from "../wire/frames.ts"
import { captureArgs } from "../wire/value.ts"
import type { TaskDefinition } from "../worker/registry.ts"
import type { FutureCell } from "./FutureCell.ts"

export interface Parcel {
  readonly frame: Frame
  readonly transfers: ReadonlyArray<ArrayBuffer>
}

export class Outbox {
  readonly #executor: number
  readonly #generation: number
  /** Whether the other side queues calls itself. */
  readonly #remote: boolean
  /** What travels in place of a module's URL. */
  readonly #locate: Backend["locate"]
  /** Index of each task that the worker was told of. */
  readonly #known = new Map<TaskDefinition, number>()
  /** How many indexes were given. */
  #tasks = 0
  /**
   * Sends the worker a task before any call of it; by default the first call brings it. For workers whose frames of calls may be given back unread.
   */
  define: ((...task: readonly [index: number, module: string, name: string]) => void) | undefined
  #frame: Array<unknown> | undefined
  #transfers: Array<ArrayBuffer> = []

  constructor(executor: number, generation: number, backend: Backend) {
    this.#executor = executor
    this.#generation = generation
    this.#remote = backend.remote === true
    this.#locate = backend.locate
  }

  add(cell: FutureCell, wireId: number, deadline: number): void {
    const frame = this.#frame ??= [Kind.Calls, this.#executor, this.#generation]
    const task = this.#reference(cell.task.definition)
    addCall(frame, wireId, cell.id, task, argsOf(cell), deadline, this.#meta(cell))
    if (cell.transfers !== undefined) { for (const buffer of cell.transfers) this.#transfers.push(buffer) }
  }

  /** Whether the worker was sent calls of tasks of a module. */
  hasSent(module: string): boolean {
    for (const known of this.#known.keys()) if (known.module === module) return true
    return false
  }

  /** The worker does not know these tasks: the next call of each defines it. */
  forget(indexes: ReadonlyArray<number>): void {
    for (const [definition, index] of this.#known) if (indexes.includes(index)) this.#known.delete(definition)
  }

  /** What was collected; `undefined` when nothing was. */
  take(): Parcel | undefined {
    const frame = this.#frame
    if (frame === undefined) return undefined
    const transfers = this.#transfers
    this.#frame = undefined
    if (transfers.length > 0) this.#transfers = []
    return { frame, transfers }
  }

  #reference(definition: TaskDefinition): TaskReference {
    const known = this.#known.get(definition)
    if (known !== undefined) return known
    const index = this.#tasks++
    this.#known.set(definition, index)
    const module = this.#locate?.(definition.module) ?? definition.module
    if (this.define === undefined) return [index, module, definition.name]
    this.define(index, module, definition.name)
    return index
  }

  #meta(cell: FutureCell): number | CallMeta {
    const { context, each, item, limits, key, parent, sink, spans, trace } = cell.form
    const losses = cell.deliveredBefore
    const { timeout } = cell.options
    // The run that this will be.
    const attempt = cell.attempt + 1
    const plain = timeout === Infinity && each === undefined && sink === undefined && trace === undefined &&
      parent === undefined
    const label = cell.task.options?.label
    const isKnown = key === undefined && losses === 0 && !this.#remote
    if (plain && label === undefined && context === undefined && isKnown) return attempt
    return {
      attempt,
      each,
      limits,
      window: sink === undefined || each !== undefined ? 0 : STREAM_WINDOW,
      context,
      label,
      trace: spans === undefined ? trace : spans.handedOver(cell),
      parent,
      key: this.#remote ? cell.key : key,
      item,
      losses: losses === 0 ? undefined : losses,
      timeout: timeout === Infinity || this.#remote ? undefined : timeout,
      options: this.#remote ? remoteOptions(cell) : undefined
    }
  }
}

/** The wire ids of the calls in a frame. */
export const wireIds = ({ frame }: Parcel): ReadonlyArray<unknown> => {
  const ids: Array<unknown> = []
  for (let at = HEADER; at < frame.length; at = callEnd(frame, at)) ids.push(frame[at])
  return ids
}

/** A call that may be tried again keeps its arguments as they were handed in: where values do not cross any border, an attempt might change them. */
const argsOf = ({ args, options }: FutureCell): ReadonlyArray<unknown> => {
  if (options.retry === undefined) return args
  const copies = [...args]
  try {
    captureArgs(copies, { sharesMemory: true })
  } catch {
    // What can only be moved goes along once.
    return args
  }
  return copies
}

/** What the other side is to see to, where it queues calls itself. */
const remoteOptions = (cell: FutureCell): RemoteOptions => {
  const { priority, queueTimeout, timeout } = cell.options
  // One that is not given is the parent call's.
  return { timeout, queueTimeout, priority: cell.task.options?.priority === undefined ? undefined : priority }
}
