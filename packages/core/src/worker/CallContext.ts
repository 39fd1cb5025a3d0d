/** One call as it runs here: what `Task.current()` answers, and how it is asked to stop. */
import { TaskTimeoutError } from "../ExecutorError.ts"
import { decodeError } from "../wire/error.ts"
import type { CallMeta, CallTrace, Frame } from "../wire/frames.ts"
import type { StopReason } from "../wire/StopReason.ts"
import type { CaptureMode } from "../wire/value.ts"
import type { TaskContext } from "./context.ts"
import { process } from "./process.ts"
import type { TaskDefinition } from "./registry.ts"
import type { RunClock } from "./RunClock.ts"

/** What a call tells its host while it runs. */
export interface CallHost {
  readonly workerId: number | string
  readonly workerNumber: number
  /** The key of a call that brings none. */
  readonly keyOf: (id: number) => string
  readonly mode: CaptureMode
  /** Finds a task by what names it in frames. Rejects with `TaskNotFoundError`. */
  readonly load: (module: string, name: string) => Promise<TaskDefinition>
  /** What travels in place of a module's URL. */
  readonly locate: ((module: string) => string) | undefined
  readonly progress: (wireId: number, value: unknown) => void
  /** Sends a frame to the parent. */
  readonly send: (kind: number, ...body: ReadonlyArray<unknown>) => void
  /** A call begins to wait for calls of its own (`by` 1), or goes on (`by` -1). */
  readonly park: (wireId: number, by: 1 | -1) => void
  /** Whether the parent has asked a call to stop, as far as that can be seen without reading a frame. */
  readonly stopRequested: (wireId: number) => boolean
  /** Looks whether the time of a call that runs here is over: the thread may have been computing. */
  readonly lookAtClocks: () => void
  /** Takes frames for calls that tasks handed in themselves. */
  onNested: ((frame: Frame) => void) | undefined
}

/** A task that calls name by its index. */
export interface KnownTask {
  readonly name: string
  /** `undefined` until its module is loaded. */
  readonly definition: TaskDefinition | undefined
}

export class CallContext implements TaskContext {
  readonly wireId: number
  readonly id: number
  readonly attempt: number
  /** Its task, as the worker knows it. */
  readonly task: KnownTask
  /** When its function was called, by the machine's clock, in milliseconds. */
  startedAt: number
  /** Its run timeout, if it has one. */
  clock: RunClock | undefined
  /** Calls of its own that it waits for. */
  waits = 0
  /** The caller's span and log annotations, when it called from an Effect. */
  trace: CallTrace | undefined
  /** What came with the call; `undefined` for an initializer. */
  meta: CallMeta | undefined
  /** Index of the item of a chunk that runs now. */
  item: number | undefined
  /** Whether it was asked to stop, or has seen that it will be. */
  asked = false
  /** Whether its signal is aborted, or will be when it is made. */
  #isAborted = false
  /** Looks at the clock of the item that runs, of a chunk with `itemTimeout`. */
  lookAtItem: (() => void) | undefined
  /** Tells the outcomes of a chunk that are known so far. */
  tellAll: (() => void) | undefined
  /** Lets a generator task yield so many more items. */
  credit: ((items: number) => void) | undefined
  /** Stops the calls that this one has handed in and that have not settled, each by its own; made by the first. */
  children: Set<(grace: number | undefined, reason: StopReason | undefined) => void> | undefined
  /** Buffers that move with values that it returns or yields; made by the first `Task.transfer`. */
  moving: WeakMap<object, ReadonlyArray<ArrayBuffer>> | undefined
  #controller: AbortController | undefined
  readonly #host: CallHost

  constructor(host: CallHost, wireId: number, id: number, attempt: number, task: KnownTask, startedAt: number) {
    this.#host = host
    this.wireId = wireId
    this.id = id
    this.attempt = attempt
    this.task = task
    this.startedAt = startedAt
  }

  get label(): string {
    return this.meta?.label ?? this.task.name
  }

  get workerId(): number | string {
    return this.#host.workerId
  }

  get workerNumber(): number {
    return this.#host.workerNumber
  }

  get key(): string {
    const key = this.meta?.key ?? this.#host.keyOf(this.id)
    return this.item === undefined ? key : `${key}.${this.item}`
  }

  get deliveries(): number {
    return 1 + (this.meta?.losses ?? 0)
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#isAborted) this.#controller.abort()
    }
    return this.#controller.signal
  }

  get stopRequested(): boolean {
    if (this.asked) return true
    this.#host.lookAtClocks()
    this.lookAtItem?.()
    // The reason is in a frame, which is read when the task gives its thread back.
    return this.asked ||= this.#host.stopRequested(this.wireId)
  }

  get host(): CallHost {
    return this.#host
  }

  // Functions of their own, so that a task may take them out of here; made when it asks, since most do not.
  get progress(): (value: unknown) => void {
    return (value) => this.#host.progress(this.wireId, value)
  }

  get log(): (...message: ReadonlyArray<unknown>) => void {
    return (...message) => {
      process.stdout.write(`[${this.label} #${this.id}] ${process.getBuiltinModule("node:util").format(...message)}\n`)
    }
  }

  /** Asks it to stop: it has run for as long as it may. */
  expire(afterMs: number): void {
    this.ask(undefined, { value: new TaskTimeoutError({ clock: "run", after: afterMs, task: this.label }) })
  }

  /** Asks it to stop, and with it what it has handed in. What it hands in from now on, to clean up, runs. */
  ask(grace: number | undefined, reason?: StopReason): void {
    if (this.#isAborted) return
    this.#isAborted = this.asked = true
    for (const stop of this.children ?? []) stop(grace, reason)
    if (reason === undefined) return this.#controller?.abort()
    const value = "value" in reason ? reason.value : decodeError(reason.record, this.task.definition?.settings.errors)
    ;(this.#controller ??= new AbortController()).abort(value)
  }
}
