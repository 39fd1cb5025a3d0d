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
import type { CallOptions } from "../callOptions.ts"
import { LONGEST_DELAY, toMillis } from "../duration.ts"
import type { DurationInput } from "../duration.ts"
import { InvalidStateError, TaskTimeoutError } from "../ExecutorError.ts"
import type { Future, FutureInfo, FutureState, WaitOptions } from "../Future.ts"
import type { TaskInfo } from "../Task.ts"
import type { CallForm } from "./Engine.ts"
import type { Failure } from "./Failure.ts"
import type { Lane } from "./Lane.ts"
import type { Pace } from "./Pace.ts"
import { Reports } from "./Reports.ts"

export const State = { Pending: 0, Running: 1, Succeeded: 2, Failed: 3, Cancelled: 4 } as const
export type State = (typeof State)[keyof typeof State]

const stateNames: ReadonlyArray<FutureState> = ["pending", "running", "succeeded", "failed", "cancelled"]

/** Who may end a call that has not settled: the engine that accepted it. */
export interface CellOwner {
  readonly cancel: (cell: FutureCell) => boolean
  readonly interrupt: (cell: FutureCell, grace: number | undefined) => Promise<boolean>
  readonly host: string
  /** Told that somebody begins to wait; its answer, that it is over. A task that waits for its own child gives its slot back meanwhile. */
  readonly waiting: (() => (() => void) | undefined) | undefined
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
  readonly options: CallOptions
  /** Captured arguments; released when the call settles. Engine only. */
  args: ReadonlyArray<unknown>
  /** Buffers of `args` that may be moved instead of copied at the hand-over. Engine only. */
  transfers: Array<ArrayBuffer> | undefined
  readonly form: CallForm
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
  /** How quick its task has been. Engine only. */
  pace: Pace | undefined = undefined
  /** From when on its worker does not start it any more; 0 when it holds a slot. Lane only. */
  deadline = 0
  /** What it is worth of the budget of the worker that has it. Lane only. */
  cost = 0
  /** Where it stands in its queue. Queue only. */
  position = 0
  /** How many calls had started when it came into the queue. Queue only. */
  queuedAt = 0
  /** The line that submitted it, when `stacks` is `"submit"`. */
  site: { readonly stack?: string } | undefined = undefined
  /** What the caller's context was when it was handed in; travels with it. */
  context: unknown = undefined
  /** What the task reported, for whoever asks. Made by the first report, or the first who asks. */
  reports: Reports | undefined = undefined
  /** Whether it was never accepted. */
  refused = false
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
    options: CallOptions,
    args: ReadonlyArray<unknown>,
    transfers: Array<ArrayBuffer> | undefined,
    form: CallForm,
    now: number
  ) {
    this.#owner = owner
    this.id = id
    this.task = task
    this.options = options
    this.args = args
    this.transfers = transfers
    this.form = form
    this.submittedAt = now
  }

  get priority(): number {
    return this.options.priority
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

  /** running ──▶ pending: it was handed over and never started. */
  unstart(): boolean {
    if (!this.requeue()) return false
    this.attempt--
    this.lane = undefined
    this.workerId = undefined
    return true
  }

  /** running ──▶ pending: it is tried again. */
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

  /**
   * The task that waits for this call, if it is one of ours, gives its slot back until the call settles, or until the answer is called: the waiting
   * is over.
   */
  parkWaiter(): () => void {
    const resume = this.#owner.waiting?.()
    if (resume === undefined) return goOn
    let parked = true
    const release = (): void => {
      if (parked) resume()
      parked = false
    }
    this.observe(release)
    return release
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
    if (options?.timeout !== undefined) {
      return this.#within(options.timeout).then((inTime) => {
        if (!inTime) throw ranOut(options.timeout!)
        return this.#settled()
      })
    }
    if (this.#promise === undefined) {
      this.#promise = new Promise(captureResolve as never)
      const resolve = resolveLast
      this.observe((cell) => resolve(cell.#state === State.Succeeded ? cell.#outcome : Promise.reject(cell)))
    }
    if (!this.done()) this.parkWaiter()
    // Built in a reaction of the promise that the caller awaits, the error's stack ends with the lines that await it.
    return this.#promise.then(undefined, rebuild)
  }

  async exception(options?: WaitOptions): Promise<unknown> {
    this.watched = true
    if (!await this.wait(options)) throw ranOut(options!.timeout!)
    if (this.#state === State.Cancelled) throw this.error()
    return this.#state === State.Failed ? this.error() : undefined
  }

  wait(options?: WaitOptions): Promise<boolean> {
    return this.#within(options?.timeout ?? Infinity)
  }

  progress(): AsyncIterableIterator<unknown> {
    return (this.reports ??= new Reports(this)).follow()
  }

  /** The error it ended with, built anew. Only after failure or cancellation. */
  error(): unknown {
    const error = this.failure.build()
    if (this.site?.stack !== undefined && error instanceof Error) {
      error.stack = `${error.stack}\n    at submit:${this.site.stack.slice(this.site.stack.indexOf("\n"))}`
    }
    return error
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

  #settled(): A {
    if (this.#state === State.Succeeded) return this.value
    throw this.error()
  }

  /** Whether it is done within the time; a timeout of zero asks without waiting. Rejects only for what is no duration. */
  async #within(timeout: DurationInput): Promise<boolean> {
    const after = toMillis(timeout, "timeout")
    if (this.done() || after === 0) return this.done()
    const release = this.parkWaiter()
    return new Promise((resolve) => {
      const timer = after === Infinity ? undefined : setTimeout(() => {
        this.unobserve(observer)
        release()
        resolve(false)
      }, Math.min(after, LONGEST_DELAY))
      const observer = (): void => {
        clearTimeout(timer)
        resolve(true)
      }
      this.observe(observer)
    })
  }
}

/** What `parkWaiter` answers outside of a task. */
export const goOn = (): void => {}

const released: ReadonlyArray<unknown> = []

const ranOut = (timeout: DurationInput): TaskTimeoutError =>
  new TaskTimeoutError({ clock: "wait", after: toMillis(timeout, "timeout") })

const rebuild = (cell: FutureCell): never => {
  throw cell.error()
}

const epoch = (at: number | undefined): number | undefined => at === undefined ? undefined : performance.timeOrigin + at

/** A callback that throws harms nobody: neither the future, nor the other callbacks, nor the process. */
const reportCallback = (error: unknown): void => {
  process.emitWarning(
    `A callback of Future.onDone threw: ${error instanceof Error ? error.stack : String(error)}`,
    "FuturesWarning"
  )
}
