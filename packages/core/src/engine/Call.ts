/**
 * One call, from submit to its outcome: what the engine knows of it. What its user sees is `FutureCell`.
 *
 * ```
 * pending ──▶ running ──▶ succeeded | failed | cancelled
 * pending ──▶ cancelled | failed
 * running ──▶ pending                      (a retry, or a worker that died before it had read the call: only before it settles)
 * ```
 *
 * `settle` is the only way into the last three, and the first to come wins.
 */
import type { CallOptions } from "../callOptions.ts"
import type { TaskInfo } from "../Task.ts"
import type { CallForm } from "./CallForm.ts"
import type { Failure } from "./Failure.ts"
import type { FutureCell } from "./FutureCell.ts"
import type { Lane } from "./Lane.ts"
import type { Pace } from "./Pace.ts"
import type { Reports } from "./Reports.ts"

export const State = { Pending: 0, Running: 1, Succeeded: 2, Failed: 3, Cancelled: 4 } as const
export type State = (typeof State)[keyof typeof State]

/** Who may end a call that has not settled: the engine that accepted it. */
interface CallOwner {
  readonly cancel: (cell: FutureCell) => boolean
  readonly interrupt: (cell: FutureCell, grace: number | undefined, failure: Failure | undefined) => Promise<boolean>
  /** Told whenever somebody asks how a failed call ended. */
  readonly seen: (cell: FutureCell) => void
  readonly host: string
  /** The key of a call by its id. */
  readonly keyOf: (id: number) => string
  /** Told that somebody begins to wait; its answer, that it is over. A task that waits for its own child gives its slot back meanwhile. */
  readonly waiting: (() => (() => void) | undefined) | undefined
}

/** What calls of one task, handed in in one way, have in common: one object for all of them. */
export interface CallTerms {
  readonly owner: CallOwner
  /** What was handed in. */
  readonly task: TaskInfo
  readonly options: CallOptions
  readonly form: CallForm
  /** How quick the task has been; `undefined` for a call that was refused. */
  readonly pace: Pace | undefined
  /** Runs a function in the async context of the submit; only for a call that may be retried. */
  readonly inside: (<A>(run: () => A) => A) | undefined
}

/** The worker that runs a call, or ran it last. */
export interface RanBy {
  readonly workerId: number | string | undefined
  readonly number: number
  /** The other machine that it is on. */
  readonly place: { readonly host: string; readonly engine: string } | undefined
}

/** Not in a queue, and never was. */
const NOWHERE = -1

/**
 * No time yet. Not `undefined`: a field that is always a number of this kind is changed where it stands, while one that may be something else gets a new
 * object for each number, and a hundred thousand calls that wait are no longer young when theirs come.
 */
const NEVER = NaN

export type Observer = (cell: FutureCell) => void

export abstract class Call {
  protected readonly terms: CallTerms
  readonly id: number
  /** Captured arguments; released when the call settles. Engine only. */
  args: ReadonlyArray<unknown>
  /** Buffers of `args` that may be moved instead of copied at the hand-over. Engine only. */
  transfers: Array<ArrayBuffer> | undefined
  /** How long the task ran, as its worker measured it, in milliseconds; `NaN` before. */
  ran = NEVER
  readonly submittedAt: number
  /** `NaN` before. */
  startedAt = NEVER
  /** `NaN` before. */
  finishedAt = NEVER
  /** The lane that has it in hand while it runs. Lane only. */
  lane: Lane | undefined = undefined
  /** Who runs it, or ran it last. Engine only. */
  ranBy: RanBy | undefined = undefined
  attempt = 0
  /** How often the machine under it died. Engine only. */
  losses: number
  /** Where it is in its worker's hands. Hands only. */
  slot = 0
  /** Where it stands in its queue, or stood last. Queue only. */
  position = NOWHERE
  /** How many calls had started when it came into the queue. Queue only. */
  queuedAt = 0
  /** What the task reported, for whoever asks. Made by the first report, or the first who asks. */
  reports: Reports | undefined = undefined
  /** Whether anybody ever asked how it ended. Written by `watch` alone. */
  watched = false
  code: State = State.Pending
  /** The value, or the `Failure`. */
  protected outcome: unknown = undefined
  /** Resolves the promise of the first who waits for the result. */
  protected waiter: ((outcome: unknown) => void) | undefined = undefined
  /** One observer, or several, in order of registration. */
  protected observers: Observer | Array<Observer> | undefined = undefined

  constructor(
    terms: CallTerms,
    id: number,
    args: ReadonlyArray<unknown>,
    transfers: Array<ArrayBuffer> | undefined,
    now: number
  ) {
    this.terms = terms
    this.id = id
    this.args = args
    this.transfers = transfers
    this.losses = terms.form.losses ?? 0
    this.submittedAt = now
  }

  get task(): TaskInfo {
    return this.terms.task
  }

  get options(): CallOptions {
    return this.terms.options
  }

  get form(): CallForm {
    return this.terms.form
  }

  get pace(): Pace | undefined {
    return this.terms.pace
  }

  get inside(): CallTerms["inside"] {
    return this.terms.inside
  }

  /** Unique among all calls of all programs. */
  get key(): string {
    return this.terms.form.key ?? this.terms.owner.keyOf(this.id)
  }

  /** How often it was handed to a worker that may have run it, not counting retries. */
  get deliveries(): number {
    return this.deliveredBefore + (this.attempt === 0 ? 0 : 1)
  }

  /** Deliveries before the current one. */
  get deliveredBefore(): number {
    return this.losses + (this.terms.form.earlier ?? 0)
  }

  get workerId(): number | string | undefined {
    return this.ranBy?.workerId
  }

  /** Whether it was never accepted, and so never stood in the queue. */
  get refused(): boolean {
    return this.position === NOWHERE
  }

  /** The label given with `Task.with`, or the task's name. */
  get label(): string {
    const { definition, options } = this.terms.task
    return options?.label ?? definition.name
  }

  get priority(): number {
    return this.terms.options.priority
  }

  /** Somebody asks how it ended. */
  watch(): void {
    this.watched = true
    if (this.code === State.Failed) this.terms.owner.seen(this as unknown as FutureCell)
  }

  done(): boolean {
    return this.code >= State.Succeeded
  }

  /** The value; only after success. */
  get value(): any {
    return this.outcome
  }

  /** The failure; only after failure or cancellation. */
  get failure(): Failure {
    return this.outcome as Failure
  }

  /** pending ──▶ running. Answers `false`, and changes nothing, when it is no longer pending. */
  start(by: RanBy, now: number): boolean {
    if (this.code !== State.Pending) return false
    this.code = State.Running
    this.attempt++
    this.ranBy = by
    this.startedAt = now
    return true
  }

  /** running ──▶ pending: it was handed over and never started. */
  unstart(): boolean {
    if (!this.requeue()) return false
    this.attempt--
    this.lane = undefined
    this.ranBy = undefined
    return true
  }

  /** running ──▶ pending: it is tried again. */
  requeue(): boolean {
    if (this.code !== State.Running) return false
    this.code = State.Pending
    this.startedAt = NEVER
    this.ran = NEVER
    return true
  }

  /** The only way to an end. Answers `false`, and changes nothing, when it has ended already. */
  settle(state: 2 | 3 | 4, outcome: unknown, now: number): boolean {
    if (this.code >= State.Succeeded) return false
    this.code = state
    this.outcome = outcome
    this.finishedAt = now
    this.args = released
    this.transfers = undefined
    this.lane = undefined
    return true
  }

  /** Tells the observers, and who waits for the result, that it has settled: they may go on at once, and find it counted. */
  announce(): void {
    const { observers, waiter } = this
    if (observers !== undefined) {
      this.observers = undefined
      const self = this as unknown as FutureCell
      if (typeof observers === "function") observers(self)
      else for (const observer of observers) observer(self)
    }
    if (waiter === undefined) return
    this.waiter = undefined
    if (this.code === State.Succeeded) waiter(this.outcome)
    else this.reject(waiter)
  }

  /** Tells one who waits that it failed. */
  protected abstract reject(waiter: (outcome: unknown) => void): void

  /** Calls the observer when it settles, at once when it has. Observers are ours and never throw. */
  observe(observer: Observer): void {
    if (this.done()) observer(this as unknown as FutureCell)
    else if (this.observers === undefined) this.observers = observer
    else if (typeof this.observers === "function") this.observers = [this.observers, observer]
    else this.observers.push(observer)
  }

  unobserve(observer: Observer): void {
    if (this.observers === observer) this.observers = undefined
    else if (Array.isArray(this.observers)) this.observers = this.observers.filter((each) => each !== observer)
  }

  /**
   * The task that waits for this call, if it is one of ours, gives its slot back until the call settles, or until the answer is called: the waiting
   * is over.
   */
  parkWaiter(): () => void {
    const resume = this.terms.owner.waiting?.()
    if (resume === undefined) return goOn
    let parked = true
    const release = (): void => {
      if (parked) resume()
      parked = false
    }
    this.observe(release)
    return release
  }
}

/** What `parkWaiter` answers outside of a task. */
export const goOn = (): void => {}

const released: ReadonlyArray<unknown> = []
