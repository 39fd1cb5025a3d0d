/**
 * The handle of a call that was handed in: what became of it, or will.
 *
 * Methods speak Promise, statics speak Effect, and both are the same future.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { State } from "./engine/Call.ts"
import { effectError } from "./engine/Failure.ts"
import { FutureCell } from "./engine/FutureCell.ts"
import * as many from "./engine/many.ts"
import type { MemberOf, Results, WaitManyOptions, WaitResult } from "./engine/many.ts"
import type { TaskError, TaskTimeoutError } from "./ExecutorError.ts"

/**
 * ```
 * pending ──▶ running ──▶ succeeded | failed | cancelled        pending ──▶ cancelled | failed
 * ```
 */
export type FutureState = "pending" | "running" | "succeeded" | "failed" | "cancelled"

/** How long to wait for one future. */
export interface WaitOptions {
  /** How long to wait: milliseconds, or such as `"5 seconds"`; for ever by default, `0` asks without waiting. Ends the waiting, never the task. */
  readonly timeout?: Duration.Input | undefined
}

/** How to interrupt. */
export interface InterruptOptions {
  /** How long the task may take to stop by itself before its worker is ended: milliseconds, or such as `"5 seconds"`; the executor's `grace` by default. */
  readonly grace?: Duration.Input | undefined
  /**
   * Why: the `cause` of the `CancelledError`, and a copy of it is `Task.current().signal.reason` in the task. None by default: there the task's signal
   * has an `AbortError`, as Node's have. What cannot be copied, or has more than 256 KiB, arrives in the task as a `NotPortableError` that describes it.
   */
  readonly reason?: unknown
}

/** What is known of a call. Times are milliseconds since the epoch. */
export interface FutureInfo {
  /** The call's number in its executor: 1, 2, 3, ... Two executors have the same numbers; see `key`. */
  readonly id: number
  /**
   * Unique among all calls of all executors, programs and machines, and the same in every attempt and delivery: an idempotency key.
   * `Task.current().key` in the worker.
   */
  readonly key: string
  /** `label` of `Task.with`, or the task's name. */
  readonly label: string
  /** The URL of the task's module, and the task's name in it. */
  readonly task: { readonly module: string; readonly name: string }
  /** Runs so far, the current one included: 0 while pending. */
  readonly attempt: number
  /**
   * How often the current attempt was handed to a worker that may have run it; 0 while pending. More than 1: the machine under it was
   * lost and the call was delivered again, so an earlier delivery may have run.
   */
  readonly deliveries: number
  /** Thread id, process id or `"inline"`: the worker that runs it, or ran it last. */
  readonly workerId: number | string | undefined
  /** The number of that worker: from 0 to `maxWorkers - 1`, and no two workers of an executor that live have the same. See `Task.current().workerNumber`. */
  readonly workerNumber: number | undefined
  /** When it was handed in. */
  readonly submittedAt: number
  /** When its latest run started; `undefined` before. */
  readonly startedAt: number | undefined
  /** When it got its outcome; `undefined` before. */
  readonly finishedAt: number | undefined
  /** The name of the machine that it runs on. */
  readonly host: string
  /** The engine that runs it, or ran it last, on a cluster. */
  readonly engine?: string | undefined
}

/**
 * One call, from submit to its outcome. It settles exactly once and never changes afterwards. It is not thenable: returning one from an async function
 * does not await it. After `concurrent.futures.Future`.
 */
export interface Future<out A, out E = never> {
  /** Where it stands. */
  readonly state: FutureState
  /** Whether it has an outcome: succeeded, failed or cancelled. */
  done(): boolean
  /** Whether a worker runs it now (`Future.running`). */
  running(): boolean
  /** Whether it was cancelled (`Future.cancelled`). */
  cancelled(): boolean
  /** Whether it succeeded. Throws `InvalidStateError` before it is done (`AsyncResult.successful`). */
  successful(): boolean
  /**
   * The task's result. Rejects with what the task threw or failed with, with `CancelledError`, or with another `TaskError`; with `TaskTimeoutError`
   * (`clock: "wait"`) when `timeout` runs out first.
   *
   * ```ts
   * console.log(await executor.submit(fib, 30).result({ timeout: "5 seconds" }))
   * ```
   */
  result(options?: WaitOptions): Promise<A>
  /**
   * What the task threw or failed with, or `undefined` after success (`Future.exception`). A task may throw `undefined` as well: `state` and
   * `successful()` tell the two apart. Rejects with `CancelledError` if it was cancelled.
   *
   * ```ts
   * const error = await executor.submit(fib, 30).exception()
   * if (error !== undefined) console.error(error)
   * ```
   */
  exception(options?: WaitOptions): Promise<unknown>
  /**
   * Waits until it is done; answers `false` when `timeout` ran out first. Never rejects because of the task.
   *
   * ```ts
   * if (!await future.wait({ timeout: 100 })) console.log("not done yet")
   * ```
   */
  wait(options?: WaitOptions): Promise<boolean>
  /** Cancels a call that has not started, which then never runs. Answers whether it is cancelled. */
  cancel(): boolean
  /**
   * Cancels a pending call, or asks a running one to stop (`Task.current().signal`, Effect finalizers), and with it the calls that it has handed in
   * itself; then, after `grace`, ends its worker.
   * Resolves once the work has stopped: `true` when it did, `false` when the call had already settled or its worker cannot be stopped.
   *
   * ```ts
   * const hasStopped = await future.interrupt({ grace: "2 seconds", reason: new Error("The user left") })
   * console.log(hasStopped)
   * ```
   */
  interrupt(options?: InterruptOptions): Promise<boolean>
  /**
   * Calls back once it is done, in order of registration, each in a microtask of its own. A callback that throws harms nobody.
   *
   * ```ts
   * future.onDone(({ info, state }) => console.log(info.label, state))
   * ```
   */
  onDone(callback: (future: Future<A, E>) => unknown): void
  /**
   * What the task reports with `Task.current().progress(value)`: the latest report, if there is one, then each as it comes, until it is done.
   *
   * ```ts
   * for await (const report of future.progress()) console.log(report)
   * ```
   */
  progress(): AsyncIterableIterator<unknown>
  /** What is known of it: ids, times, where it runs. */
  readonly info: FutureInfo
}

/**
 * What `submit` returns: a future, of a type that `await` does not accept. `await executor.submit(...)` would wait for nothing, so it does not compile:
 * await `result()`, or call `executor.run(...)`. Assign it to a `Future` where an async function returns it.
 */
export interface SubmittedFuture<out A, out E = never> extends Future<A, E> {
  /** Only a type: a future has no method `then`. */
  readonly then?: (await_result_instead: "await future.result(), or executor.run(...)") => never
}

const cellOf = <A, E>(future: Future<A, E>): FutureCell<A, E> => future as FutureCell<A, E>

const exitOf = <A, E>(cell: FutureCell<A, E>): Exit.Exit<A, E | TaskError> => {
  if (cell.code === State.Succeeded) return Exit.succeed(cell.value)
  return Exit.fail(effectError(cell.failure, cell.label) as E | TaskError)
}

/** What ends a waiting that is interrupted; the task that waits gives its slot back until then. */
const leave = (cell: FutureCell, observer: () => void): Effect.Effect<void> => {
  const release = cell.parkWaiter()
  return Effect.sync(() => {
    cell.unobserve(observer)
    release()
  })
}

/** Resumes a fiber with the result, once there is one. */
export const resumeWith = <A, E>(
  cell: FutureCell<A, E>,
  resume: (result: Effect.Effect<A, E | TaskError>) => void
): void => {
  cell.watch()
  cell.observe(() => resume(exitOf(cell)))
  if (!cell.done()) cell.parkWaiter()
}

/** How it ended, once it has: `Exit` with the typed failure, or one of `TaskError`. */
const exit = <A, E>(future: Future<A, E>): Effect.Effect<Exit.Exit<A, E | TaskError>> =>
  Effect.suspend(() => {
    const cell = cellOf(future)
    cell.watch()
    if (cell.done()) return Effect.succeed(exitOf(cell))
    return Effect.callback<Exit.Exit<A, E | TaskError>>((resume) => {
      const observer = () => resume(Effect.succeed(exitOf(cell)))
      cell.observe(observer)
      return leave(cell, observer)
    })
  })

/** The result. `Effect.timeout` is the timeout; interrupting ends the waiting, not the task. */
const result = <A, E>(future: Future<A, E>): Effect.Effect<A, E | TaskError> =>
  Effect.suspend(() => {
    const cell = cellOf(future)
    cell.watch()
    if (cell.done()) return exitOf(cell)
    return Effect.callback<A, E | TaskError>((resume) => {
      const observer = () => resume(exitOf(cell))
      cell.observe(observer)
      return leave(cell, observer)
    })
  })

/** How it ended, if it has. Plain, not an Effect. */
const poll = <A, E>(future: Future<A, E>): Option.Option<Exit.Exit<A, E | TaskError>> => {
  const cell = cellOf(future)
  if (!cell.done()) return Option.none()
  cell.watch()
  return Option.some(exitOf(cell))
}

/** Waits until it is done, whatever the outcome. */
const wait = <A, E>(future: Future<A, E>): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const observer = () => resume(Effect.void)
    cellOf(future).observe(observer)
    return leave(cellOf(future), observer)
  })

/** Cancels a call that has not started, which then never runs. Answers whether it is cancelled. */
const cancel = <A, E>(future: Future<A, E>): Effect.Effect<boolean> => Effect.sync(() => future.cancel())

/** As `future.interrupt`: `Future.interrupt(future)`, `Future.interrupt(future, { grace })`, or `pipe(future, Future.interrupt({ grace }))`. */
const interrupt: {
  (options: InterruptOptions): <A, E>(future: Future<A, E>) => Effect.Effect<boolean>
  <A, E>(future: Future<A, E>, options: InterruptOptions): Effect.Effect<boolean>
  // Last, so that it can be handed to `Effect.forEach` as it is.
  <A, E>(future: Future<A, E>): Effect.Effect<boolean>
} = dual(
  (args) => args[0] instanceof FutureCell,
  <A, E>(future: Future<A, E>, options?: InterruptOptions): Effect.Effect<boolean> =>
    Effect.promise(() => future.interrupt(options))
)

/** Waits for several futures: until all are done, the first is, or the first has failed (`concurrent.futures.wait`). */
const waitAll = <const T extends Iterable<Future<any, any>>>(
  futures: T,
  options?: WaitManyOptions
): Effect.Effect<WaitResult<MemberOf<T>>> => Effect.promise(() => many.wait(futures, options))

type FailureOf<F> = F extends Future<any, infer E> ? E : never

/** All results in the order of the futures, or the first failure to happen; of a tuple of futures a tuple. */
const gather = <const T extends Iterable<Future<any, any>>>(
  futures: T
): Effect.Effect<Results<T>, FailureOf<MemberOf<T>> | TaskError> =>
  Effect.forEach(futures as Iterable<Future<any, any>>, result, { concurrency: "unbounded" }) as never

/** What the task reports of its progress: the latest report, then each as it comes. */
const progress = <A, E>(future: Future<A, E>): Stream.Stream<unknown> =>
  Stream.suspend(() => Stream.fromAsyncIterable(future.progress(), (never) => never as never))

/** The futures as they are done, each once. */
const asCompleted = <const T extends Iterable<Future<any, any>>>(
  futures: T,
  options?: { readonly timeout?: Duration.Input | undefined }
): Stream.Stream<MemberOf<T>, TaskTimeoutError> =>
  Stream.suspend(() =>
    Stream.fromAsyncIterable(many.asCompleted(futures, options), (error) => error as TaskTimeoutError)
  )

/** The statics: Effect twins of the methods, unary and point-free. */
export const Future = { exit, result, poll, wait, cancel, interrupt, progress, waitAll, asCompleted, gather }
