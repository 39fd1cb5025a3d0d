/** The future: a call as its user sees it. What the engine knows of it is `Call`. */
import { toMillis } from "../duration.ts"
import { InvalidStateError, TaskTimeoutError } from "../ExecutorError.ts"
import type { Future, FutureInfo, FutureState, InterruptOptions, WaitOptions } from "../Future.ts"
import { performance, queueMicrotask } from "../timers.ts"
import { ownOptions } from "../unknownOption.ts"
import { futureMark } from "../wire/leaf.ts"
import { bound } from "./asyncContext.ts"
import { Call, State } from "./Call.ts"
import { cancelledFor } from "./Failure.ts"
import { patience } from "./PatientTimer.ts"
import { Reports } from "./Reports.ts"
import { waitMillis } from "./waitOptions.ts"

const stateNames: ReadonlyArray<FutureState> = ["pending", "running", "succeeded", "failed", "cancelled"]

/** The executor of a promise, shared by all: it hands its two functions to whoever called `new Promise` last. */
let resolveLast: ((value: unknown) => void) | undefined
const captureResolve = (resolve: (value: unknown) => void): void => {
  resolveLast = resolve
}

export class FutureCell<out A = any, out E = any> extends Call implements Future<A, E> {
  get state(): FutureState {
    this.#look()
    return stateNames[this.code]!
  }

  /** Whether its worker has started it by now. */
  #look(): void {
    if (this.code === State.Pending) this.lane?.look()
  }

  running(): boolean {
    this.#look()
    return this.code === State.Running
  }

  cancelled(): boolean {
    return this.code === State.Cancelled
  }

  successful(): boolean {
    if (!this.done()) {
      throw new InvalidStateError(`Call ${this.id} is ${this.state}: successful() answers once it is done`)
    }
    this.watch()
    return this.code === State.Succeeded
  }

  result(options?: WaitOptions): Promise<A> {
    this.watch()
    if (options !== undefined) {
      return this.#within(options, "result").then((inTime) => {
        if (!inTime) throw ranOut(this, options)
        return this.#settled()
      })
    }
    if (this.done()) return this.code === State.Succeeded ? Promise.resolve(this.value) : rejected(this)
    const promise = new Promise<A>(captureResolve as never)
    const resolve = resolveLast!
    // It would hold the last outcome.
    resolveLast = undefined
    if (this.waiter === undefined) this.waiter = resolve
    else this.observe((cell) => cell.code === State.Succeeded ? resolve(cell.outcome) : cell.reject(resolve))
    this.parkWaiter()
    return promise
  }

  protected override reject(waiter: (outcome: unknown) => void): void {
    const { promise, reject } = Promise.withResolvers<never>()
    waiter(promise.then(undefined, rebuild))
    // Only now, that what the caller awaits hangs on it, the error's stack ends with the lines that await it.
    queueMicrotask(() => reject(this))
  }

  async exception(options?: WaitOptions): Promise<unknown> {
    this.watch()
    if (!await this.#within(options, "exception")) throw ranOut(this, options)
    if (this.code === State.Cancelled) throw this.error()
    return this.code === State.Failed ? this.error() : undefined
  }

  wait(options?: WaitOptions): Promise<boolean> {
    return this.#within(options, "wait")
  }

  progress(): AsyncIterableIterator<unknown> {
    return (this.reports ??= new Reports(this)).follow()
  }

  /** The error it ended with, built anew. Only after failure or cancellation. */
  error(): unknown {
    const error = this.failure.build(this.label)
    const submitted = this.form.site?.stack
    if (submitted !== undefined && error instanceof Error) {
      error.stack = `${error.stack}\n    at submit:${submitted.slice(submitted.indexOf("\n"))}`
    }
    return error
  }

  cancel(): boolean {
    return this.code === State.Cancelled || this.terms.owner.cancel(this)
  }

  // `async`, so that a wrong option rejects.
  async interrupt(options?: InterruptOptions): Promise<boolean> {
    const { grace, reason } = ownOptions(options, ["grace", "reason"], "interrupt")
    const graceMs = grace === undefined ? undefined : toMillis(grace, "grace")
    const given = reason === undefined ? undefined : { value: reason }
    return !this.done() && this.terms.owner.interrupt(this, graceMs, cancelledFor("interrupt", given))
  }

  onDone(callback: (future: Future<A, E>) => unknown): void {
    this.watch()
    const call = bound(() => {
      try {
        const outcome = callback(this)
        if (outcome instanceof Promise) outcome.catch(reportCallback)
      } catch (error) {
        reportCallback(error)
      }
    })
    this.observe(() => queueMicrotask(call))
  }

  get info(): FutureInfo {
    this.#look()
    const { owner, task: { definition } } = this.terms
    const place = this.ranBy?.place
    return {
      id: this.id,
      key: this.key,
      label: this.label,
      task: { module: definition.module, name: definition.name },
      attempt: this.attempt,
      deliveries: this.deliveries,
      workerId: this.workerId,
      workerNumber: this.ranBy?.number,
      submittedAt: performance.timeOrigin + this.submittedAt,
      startedAt: epoch(this.startedAt),
      finishedAt: epoch(this.finishedAt),
      host: place?.host ?? owner.host,
      ...(place === undefined ? {} : { engine: place.engine })
    }
  }

  toJSON(): unknown {
    return { _id: "Future", state: this.state, ...this.info }
  }

  /** So that templates and logs name the call. */
  override toString(): string {
    return `Future(${this.id} ${this.info.label}: ${this.state})`
  }

  /** Lets a walk over arguments recognize a future without loading this class. */
  get [futureMark](): true {
    return true
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString()
  }

  #settled(): A {
    if (this.code === State.Succeeded) return this.value
    throw this.error()
  }

  /** Whether it is done within the time; a timeout of zero asks without waiting. Rejects only for wrong options of `method`. */
  async #within(options: WaitOptions | undefined, method: string): Promise<boolean> {
    const after = waitMillis(options, method)
    if (this.done() || after === 0) return this.done()
    const release = this.parkWaiter()
    return new Promise((resolve) => {
      const expire = (): void => {
        this.unobserve(observer)
        release()
        resolve(false)
      }
      const timer = after === Infinity ? undefined : patience(after, expire, () => this.lane?.arriving ?? 0)
      const observer = (): void => {
        timer?.clear()
        resolve(true)
      }
      this.observe(observer)
    })
  }
}

const ranOut = ({ label }: FutureCell, options: WaitOptions | undefined): TaskTimeoutError =>
  new TaskTimeoutError({ clock: "wait", after: waitMillis(options, ""), task: label })

/** The error is built in a reaction of the promise that the caller awaits, so that its stack ends with the lines that do. */
const rejected = (cell: FutureCell): Promise<never> => Promise.reject(cell).then(undefined, rebuild)

const rebuild = (cell: FutureCell): never => {
  throw cell.error()
}

const epoch = (at: number): number | undefined => Number.isNaN(at) ? undefined : performance.timeOrigin + at

/** A callback that throws harms nobody: neither the future, nor the other callbacks, nor the process. */
const reportCallback = (error: unknown): void => {
  process.emitWarning(
    `A callback of Future.onDone threw: ${error instanceof Error ? error.stack : String(error)}`,
    "FuturesWarning"
  )
}
