/** What an executor is, and the key under which Effect programs find one. */
import * as Context from "effect/Context"
import type { Tracing } from "./callSpans.ts"
import type { Caller } from "./engine/CallForm.ts"
import type { ShutdownOptions } from "./engine/Closing.ts"
import type { ExecutorStats } from "./engine/Engine.ts"
import type { FutureCell } from "./engine/FutureCell.ts"
import type { MapRun } from "./engine/map.ts"
import type { MapSettledResult } from "./engine/mapIterables.ts"
import type { MapOptions } from "./engine/mapOptions.ts"
import type { StreamRun } from "./engine/stream.ts"
import type { SubmittedFuture } from "./Future.ts"
import type * as Task from "./Task.ts"

/** Runs tasks, each in one of its workers (`concurrent.futures.Executor`). */
export interface Executor extends AsyncDisposable {
  /**
   * Hands in a call; its arguments are captured now. Never throws: a call that cannot be accepted is a future that has already failed, with
   * `ExecutorShutdownError`, `QueueFullError`, `BrokenExecutorError` or `NotPortableError`.
   *
   * ```ts
   * const job = executor.submit(who, 2)
   * console.log(await job.result())
   * ```
   */
  submit<F extends Task.Call>(task: F, ...args: Task.Args<F>): SubmittedFuture<Task.Success<F>, Task.Failure<F>>
  /**
   * `submit` and `result` in one.
   *
   * ```ts
   * console.log(await executor.run(fib, 30))
   * ```
   */
  run<F extends Task.Call>(task: F, ...args: Task.Args<F>): Promise<Task.Success<F>>
  /**
   * Calls the task with each item and yields the results in the order of the items. Pulls items as results are taken, so the input may be infinite; the
   * first failure ends it and cancels the rest, and so does leaving the loop (`Executor.map` with `buffersize`).
   *
   * ```ts
   * for await (const n of executor.map(fib, [20, 21, 22], { chunkSize: 1 })) console.log(n)
   * ```
   */
  map<F extends Task.Call>(task: F, items: Items<F>, options?: MapOptions): AsyncIterableIterator<Task.Success<F>>
  /**
   * As `map`, with each item's outcome as data, and the `index` and `item` that it belongs to; failures do not end it (`Promise.allSettled`).
   *
   * ```ts
   * for await (const each of executor.mapSettled(fib, [20, 21])) {
   *   console.log(each.index, each.status === "fulfilled" ? each.value : each.reason)
   * }
   * ```
   */
  mapSettled<F extends Task.Call>(
    task: F,
    items: Items<F>,
    options?: MapOptions
  ): AsyncIterableIterator<MapSettledResult<Task.Success<F>, Task.Args<F>[0]>>
  /**
   * As `map`, for a task of several arguments: each item is a tuple of them (`Pool.starmap`).
   *
   * ```ts
   * for await (const sum of executor.starmap(add, [[1, 2], [3, 4]])) console.log(sum)
   * ```
   */
  starmap<F extends Task.Call>(task: F, tuples: Tuples<F>, options?: MapOptions): AsyncIterableIterator<Task.Success<F>>
  /**
   * Runs a generator task and yields what it yields. The worker is never more than sixteen items ahead; leaving the loop stops the generator and runs
   * its `finally`.
   *
   * ```ts
   * for await (const n of executor.stream(count, 1_000_000)) if (n === 3) break
   * ```
   */
  stream<F extends Task.Stream>(task: F, ...args: Task.Args<F>): AsyncIterableIterator<Task.Item<F>>
  /**
   * Resolves when fewer than `maxPending` calls wait and `minWorkers` workers are up.
   *
   * ```ts
   * await executor.ready()
   * executor.submit(fib, 30)
   * ```
   */
  ready(): Promise<void>
  /**
   * Cancels the calls that are pending now, and stays open: for new input that makes the old obsolete. Returns how many were cancelled, each with
   * `CancelledError` (`reason: "cancel"`). Calls that run go on, as do those that a worker process already has (as with `future.cancel()`). A map that
   * runs submits further items; end it with its `signal`.
   *
   * ```ts
   * executor.cancelPending()
   * const latest = executor.submit(fib, 30)
   * ```
   */
  cancelPending(): number
  /**
   * Replaces all workers: each finishes the calls that it has, and ends. Calls that are submitted afterwards run on new workers, which load all code
   * anew. Resolves when the old workers are gone; a worker that cannot be ended counts as gone.
   *
   * ```ts
   * await executor.recycle()
   * ```
   */
  recycle(): Promise<void>
  /**
   * Takes no more calls, waits for those it has, ends the workers. Idempotent. What a `timeout` has forced is in `stats()`.
   *
   * ```ts
   * await executor.shutdown({ cancelPending: true, timeout: "10 seconds" })
   * const { cancelled, forced } = executor.stats()
   * ```
   */
  shutdown(options?: ShutdownOptions): Promise<void>
  /** Cancels what is pending, interrupts what runs, ends the workers. */
  terminate(): Promise<void>
  /** How many calls wait, run and have ended, and how many workers there are. */
  stats(): ExecutorStats
}

/**
 * What `map` may be given: items, each the only argument of a call. For a task that requires several arguments this is a sentence, which the compiler
 * prints.
 */
export type Items<F> = TakesOne<Task.Args<F>> extends true ? AnyItems<F>
  : "this task requires several arguments: call it with starmap and tuples, or declare a task of one argument"

/** Items whatever the number of arguments. */
export type AnyItems<F> = Iterable<Task.Args<F>[0]> | AsyncIterable<Task.Args<F>[0]>

/** Whether a task can be called with one argument, or none. */
type TakesOne<A> = A extends readonly [] ? true : A extends readonly [any, any, ...any] ? false : true

/** What `starmap` may be given. */
export type Tuples<F> = Iterable<Readonly<Task.Args<F>>> | AsyncIterable<Readonly<Task.Args<F>>>

export const executorKey = Context.Service<Executor>("@futures/core/Executor")

/** How the Effect face opens a map: it needs outcomes, not values. */
export const openMap: unique symbol = Symbol("@futures/core/openMap")

/** How a call is opened for somebody who hands it in on behalf of another caller: the Effect face, an executor of executors. */
export const openCell: unique symbol = Symbol("@futures/core/openCell")
export const openRoom: unique symbol = Symbol("@futures/core/openRoom")
export const openStream: unique symbol = Symbol("@futures/core/openStream")
export const openTracing: unique symbol = Symbol("@futures/core/openTracing")

/** An executor of ours, with what the statics need besides the public methods. */
export interface OpenExecutor extends Executor {
  [openMap]<F extends Task.Call>(
    task: F,
    items: Items<F>,
    options?: MapOptions,
    spread?: boolean,
    caller?: Caller
  ): MapRun<Task.Success<F>>
  [openCell]<F extends Task.Call>(
    task: F,
    args: Task.Args<F>,
    caller: Caller
  ): FutureCell<Task.Success<F>, Task.Failure<F>>
  /** Whether the queue has room. */
  readonly [openRoom]: boolean
  [openStream]<F extends Task.Stream>(task: F, args: Task.Args<F>, caller?: Caller): StreamRun<Task.Item<F>>
  /** What spans say of it; `undefined` when nothing is to travel. */
  readonly [openTracing]: Tracing | undefined
}
