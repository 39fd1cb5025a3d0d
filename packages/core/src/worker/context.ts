/**
 * The call that is running here, kept per asynchronous context.
 *
 * One store per call: a module variable would be ten times cheaper and names the wrong call after the first `await`.
 */
import { AsyncLocalStorage } from "node:async_hooks"

/** What a running task can know of its own call. */
export interface TaskContext {
  /**
   * Aborted when the call is asked to stop. `signal.reason` says why: a copy of the reason that the caller gave (`signal.reason` of its `AbortSignal`,
   * `interrupt({ reason })`), a `TaskTimeoutError` when `timeout` or `itemTimeout` is over, an `AbortError` otherwise.
   *
   * ```ts
   * const page = await fetch(url, { signal: Task.current()!.signal })
   * ```
   */
  readonly signal: AbortSignal
  /**
   * Whether the call is to stop, for a task that computes: it may be read in a loop that never awaits, where `signal` cannot be aborted. It is a few dozen
   * nanoseconds. `signal` is aborted at the same time when `timeout` or `itemTimeout` is over, and otherwise, with its reason, in the next turn of
   * the event loop.
   *
   * ```ts
   * const task = Task.current()
   * for (let n = 0; n < end; n++) {
   *   if (n % 1_000 === 0 && task?.stopRequested) return undefined
   *   sum += heavy(n)
   * }
   * ```
   *
   * On inline only `timeout` and `itemTimeout` can end such a loop: the caller's code does not run meanwhile. Workers of processes see other requests within
   * a millisecond, through a file without a name; where there can be none (`docs/environments.md`) they see the timeouts only.
   */
  readonly stopRequested: boolean
  /** The call's number in its executor. */
  readonly id: number
  /**
   * Unique among all calls of all executors, programs and machines, and the same in every attempt and delivery of the call: a key for
   * doing something once. Each item of a `map` has its own.
   */
  readonly key: string
  /**
   * 1 for a call that was delivered once; more when the machine under it was lost and it was delivered again. Then an earlier
   * delivery of this attempt may have run, in part or to its end.
   */
  readonly deliveries: number
  /** 1 for the first run, 2 for the first retry, and so on. */
  readonly attempt: number
  /** The worker's thread id, process id, or `"inline"`. */
  readonly workerId: number | string
  /**
   * A small number of the worker: from 0 to `maxWorkers - 1`, the same for its life, and no two workers of an executor that live have the same. For a
   * port, a GPU or a scratch directory per worker. A worker that replaces one that cannot be ended gets a number of its own, which may be
   * `maxWorkers` or more.
   */
  readonly workerNumber: number
  /** Reports how far it is: whoever follows `future.progress()` gets the value, which must be able to travel. */
  readonly progress: (value: unknown) => void
  /** Writes a line to the caller's stdout, marked with the call's label and id. */
  readonly log: (...message: ReadonlyArray<unknown>) => void
}

// Copies of this file (sources beside `dist`) share one storage, so that a task sees its call through any of them.
const key = Symbol.for("@futures/core/context")
const storage: AsyncLocalStorage<TaskContext> =
  ((globalThis as { [key]?: AsyncLocalStorage<TaskContext> })[key] ??= new AsyncLocalStorage())

export const currentTask = (): TaskContext | undefined => storage.getStore()

/** The wire id of the call of an initializer. */
export const INITIALIZER_ID = -1

/** Whether the initializer of a worker runs here. */
export const isInitializing = (): boolean =>
  (storage.getStore() as { readonly wireId?: number } | undefined)?.wireId === INITIALIZER_ID

export const runAs = <A>(
  context: TaskContext,
  fn: (...args: ReadonlyArray<unknown>) => A,
  args: ReadonlyArray<unknown>
): A => storage.run(context, fn, ...args)
