/**
 * The future: one call, from submit to its outcome.
 *
 * ```
 * pending ──▶ running ──▶ succeeded | failed | cancelled
 * pending ──▶ cancelled | failed
 * running ──▶ pending                      (a retry, or a hand-over that never started: only before it settles)
 * ```
 *
 * `settle` is the only way into the last three, and the first to come wins.
 */
import { LONGEST_DELAY, toMillis } from "../duration.ts"
import { InvalidStateError, TaskTimeoutError } from "../ExecutorError.ts"
import type { Future, FutureInfo, FutureState, WaitOptions } from "../Future.ts"
import type { TaskInfo } from "../Task.ts"
import { ours } from "./Failure.ts"
import type { Failure } from "./Failure.ts"
import type { Lane } from "./Lane.ts"

export const State = { Pending: 0, Running: 1, Succeeded: 2, Failed: 3, Cancelled: 4 } as const
export type State = (typeof State)[keyof typeof State]

const stateNames: ReadonlyArray<FutureState> = ["pending", "running", "succeeded", "failed", "cancelled"]

/** Who may end a call that has not settled: the engine that accepted it. */
export interface CellOwner {
  readonly cancel: (cell: FutureCell) => boolean
  readonly interrupt: (cell: FutureCell, grace: number | undefined) => Promise<boolean>
  readonly host: string
}

type Observer = (cell: FutureCell) => void

/** The executor of a promise, shared by all: it hands its two functions to whoever called `new Promise` last. */
let resolveLast: (value: unknown) => void
const captureResolve = (resolve: (value: unknown) => void): void => {
  resolveLast = resolve
}

export class FutureCell<out A = any, out E = any> implements Future<A, E> {
  readonly id: number
  /** What was handed in. */
  readonly task: TaskInfo
  /** Captured arguments; released when the call settles. Engine only. */
  args: ReadonlyArray<unknown>
  /** Buffers of `args` that may be moved instead of copied at the hand-over. Engine only. */
  transfers: Array<ArrayBuffer> | undefined
  /** Whether `args` holds one array of items that the task is called with one by one. */
  readonly each: boolean
  /** How long the task ran, as its worker measured it, in milliseconds. */
  ran = 0
  readonly submittedAt: number
  startedAt: number | undefined = undefined
  finishedAt: number | undefined = undefined
  /** The lane that has it in hand while it runs. Lane only. */
  lane: Lane | undefined = undefined
  /** The worker that runs it, or ran it last. Engine only. */
  workerId: number | string | undefined = undefined
  attempt = 0
  /** This hand-over's id on its worker's wire. Lane only. */
  wireId = -1
  /** Where it stands in its queue. Queue only. */
  position = 0
  /** Whether anybody ever asked how it ended. */
  watched = false
  #state: State = State.Pending
  /** The value, or the `Failure`. */
  #outcome: unknown = undefined
  /** One observer, or several, in order of registration. */
  #observers: Observer | Array<Observer> | undefined = undefined
  /** The promise of the raw outcome, made at the first `result()`. */
  #promise: Promise<A> | undefined = undefined
  readonly #owner: CellOwner

  constructor(
    owner: CellOwner,
    id: number,
    task: TaskInfo,
    args: ReadonlyArray<unknown>,
    transfers: Array<ArrayBuffer> | undefined,
    each: boolean,
    now: number
  ) {
    this.#owner = owner
    this.id = id
    this.task = task
    this.args = args
    this.transfers = transfers
    this.each = each
    this.submittedAt = now
  }

  // ---- the engine's side

  /** pending ──▶ running. Answers `false`, and changes nothing, when it is no longer pending. */
  start(workerId: number | string, now: number): boolean {
    if (this.#state !== State.Pending) return false
    this.#state = State.Running
    this.attempt++
    this.workerId = workerId
    this.startedAt = now
    return true
  }

  /** running ──▶ pending: it never started, or is tried again. */
  requeue(): boolean {
    if (this.#state !== State.Running) return false
    this.#state = State.Pending
    this.startedAt = undefined
    return true
  }

  /** The only way to an end. Answers `false`, and changes nothing, when it has ended already. */
  settle(state: 2 | 3 | 4, outcome: unknown, now: number): boolean {
    if (this.#state >= State.Succeeded) return false
    this.#state = state
    this.#outcome = outcome
    this.finishedAt = now
    this.args = released
    this.transfers = undefined
    this.lane = undefined
    const observers = this.#observers
    if (observers !== undefined) {
      this.#observers = undefined
      if (typeof observers === "function") observers(this)
      else for (const observer of observers) observer(this)
    }
    return true
  }

  /** Calls the observer when it settles, at once when it has. Observers are ours and never throw. */
  observe(observer: Observer): void {
    if (this.#state >= State.Succeeded) observer(this)
    else if (this.#observers === undefined) this.#observers = observer
    else if (typeof this.#observers === "function") this.#observers = [this.#observers, observer]
    else this.#observers.push(observer)
  }

  unobserve(observer: Observer): void {
    if (this.#observers === observer) this.#observers = undefined
    else if (Array.isArray(this.#observers)) this.#observers = this.#observers.filter((each) => each !== observer)
  }

  get code(): State {
    return this.#state
  }

  /** The value; only after success. */
  get value(): A {
    return this.#outcome as A
  }

  /** The failure; only after failure or cancellation. */
  get failure(): Failure {
    return this.#outcome as Failure
  }

  // ---- the public face

  get state(): FutureState {
    return stateNames[this.#state]!
  }

  done(): boolean {
    return this.#state >= State.Succeeded
  }

  running(): boolean {
    return this.#state === State.Running
  }

  cancelled(): boolean {
    return this.#state === State.Cancelled
  }

  successful(): boolean {
    if (!this.done()) {
      throw new InvalidStateError(`Call ${this.id} is ${this.state}: successful() answers once it is done`)
    }
    this.watched = true
    return this.#state === State.Succeeded
  }

  result(options?: WaitOptions): Promise<A> {
    this.watched = true
    if (this.#promise === undefined) {
      this.#promise = new Promise(captureResolve as never)
      const resolve = resolveLast
      this.observe((cell) => resolve(cell.#state === State.Succeeded ? cell.#outcome : Promise.reject(cell.#outcome)))
    }
    const promise = options?.timeout === undefined ? this.#promise : this.#within(options, this.#promise)
    // Built in a reaction of the promise that the caller awaits, the error's stack ends with the lines that await it.
    return promise.then(undefined, rebuild)
  }

  async exception(options?: WaitOptions): Promise<unknown> {
    this.watched = true
    if (!await this.wait(options)) throw timedOut(options)
    if (this.#state === State.Cancelled) throw this.failure.build()
    return this.#state === State.Failed ? this.failure.build() : undefined
  }

  async wait(options?: WaitOptions): Promise<boolean> {
    if (this.done()) return true
    const settled = new Promise<true>((resolve) => this.observe(() => resolve(true)))
    if (options?.timeout === undefined) return settled
    return this.#within(options, settled).catch(() => false)
  }

  cancel(): boolean {
    return this.#state === State.Cancelled || this.#owner.cancel(this)
  }

  interrupt(options?: { readonly grace?: WaitOptions["timeout"] }): Promise<boolean> {
    if (this.done()) return Promise.resolve(false)
    return this.#owner.interrupt(this, options?.grace === undefined ? undefined : toMillis(options.grace, "grace"))
  }

  onDone(callback: (future: Future<A, E>) => unknown): void {
    this.watched = true
    this.observe(() =>
      queueMicrotask(() => {
        try {
          const outcome = callback(this)
          if (outcome instanceof Promise) outcome.catch(reportCallback)
        } catch (error) {
          reportCallback(error)
        }
      })
    )
  }

  get info(): FutureInfo {
    const { definition, options } = this.task
    return {
      id: this.id,
      label: options?.label ?? definition.name,
      task: { module: definition.module, name: definition.name },
      attempt: this.attempt,
      workerId: this.workerId,
      submittedAt: epoch(this.submittedAt)!,
      startedAt: epoch(this.startedAt),
      finishedAt: epoch(this.finishedAt),
      host: this.#owner.host
    }
  }

  toJSON(): unknown {
    return { _id: "Future", state: this.state, ...this.info }
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `Future(${this.id} ${this.info.label}: ${this.state})`
  }

  /** `promise`, or a `TaskTimeoutError` of the caller's patience. Ends the waiting, never the task. */
  #within<T>(options: WaitOptions, promise: Promise<T>): Promise<T> {
    const after = toMillis(options.timeout!, "timeout")
    // A timeout of zero polls: what is known now counts, and nothing is waited for.
    if (after === 0 && !this.done()) return Promise.reject(ranOut(after))
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(ranOut(after)), Math.min(after, LONGEST_DELAY))
      promise.finally(() => clearTimeout(timer)).then(resolve, reject)
    })
  }
}

const released: ReadonlyArray<unknown> = []

const ranOut = (after: number): Failure => ours(() => new TaskTimeoutError({ clock: "wait", after }))

const timedOut = (options: WaitOptions | undefined): unknown => ranOut(toMillis(options!.timeout!, "timeout")).build()

const rebuild = (failure: Failure): never => {
  throw failure.build()
}

const epoch = (at: number | undefined): number | undefined => at === undefined ? undefined : performance.timeOrigin + at

/** A callback that throws harms nobody: neither the future, nor the other callbacks, nor the process. */
const reportCallback = (error: unknown): void => {
  process.emitWarning(
    `A callback of Future.onDone threw: ${error instanceof Error ? error.stack : String(error)}`,
    "FuturesWarning"
  )
}
