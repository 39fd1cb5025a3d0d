/**
 * The executor: hand in a task, get a future.
 *
 * **Statics speak Effect; instances speak Promise.** `executor.submit(...)` answers with a `Future` at once; `Executor.submit(...)` is an Effect that
 * needs an `Executor` in its context. Both are the same engine.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import type { ConfigError } from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import { callerOf } from "./callSpans.ts"
import type { Caller } from "./engine/CallForm.ts"
import type { ShutdownOptions } from "./engine/Closing.ts"
import type { ExecutorStats } from "./engine/Engine.ts"
import { effectError } from "./engine/Failure.ts"
import type { Failure } from "./engine/Failure.ts"
import type { FutureCell } from "./engine/FutureCell.ts"
import type { MapRun } from "./engine/map.ts"
import type { Outcome } from "./engine/MapChunk.ts"
import type { MapOptions } from "./engine/mapOptions.ts"
import type { ExecutorClass } from "./executorClass.ts"
import { ExecutorShutdownError, InvalidOptionError, QueueFullError } from "./ExecutorError.ts"
import type { TaskError } from "./ExecutorError.ts"
import type * as Service from "./ExecutorService.ts"
import { executorKey, openCell, openMap, openRoom, openStream, openTracing } from "./ExecutorService.ts"
import type { Items, OpenExecutor, Tuples } from "./ExecutorService.ts"
import { Future, resumeWith } from "./Future.ts"
import type { ExecutorOptions } from "./options.ts"
import { optionsFromText, textOptions, variableOf } from "./options.ts"
import type * as Task from "./Task.ts"
import { ownObject } from "./unknownOption.ts"
import { currentExecutor } from "./worker/nested.ts"

export type Executor = Service.Executor

/**
 * Hands in a call; waits for room first when the queue is bounded. Fails with `ExecutorShutdownError`, or with `QueueFullError` where the executor is
 * set to reject. The caller's span and log annotations travel with the call.
 *
 * ```ts
 * const program = Effect.gen(function*() {
 *   const jobs = yield* Effect.forEach([20, 21, 22], (n) => Executor.submit(fib, n))
 *   return yield* Effect.forEach(jobs, Future.result)
 * })
 * ```
 */
const submit = <F extends Task.Call>(
  task: F,
  ...args: Task.Args<F>
): Effect.Effect<Future<Task.Success<F>, Task.Failure<F>>, ExecutorShutdownError | QueueFullError, Executor> =>
  Effect.flatMap(handIn(task, args), (cell) => {
    const refusal = cell.refused ? cell.failure.build(cell.label) : undefined
    if (!(refusal instanceof ExecutorShutdownError || refusal instanceof QueueFullError)) return Effect.succeed(cell)
    cell.watch()
    return Effect.fail(refusal)
  })

/**
 * Hands in a call and waits for its result; interrupting it interrupts the task, and waits until that has stopped.
 *
 * ```ts
 * const program = Executor.run(fib, 30).pipe(Effect.timeout("5 seconds"), Effect.provide(ThreadExecutor.layer()))
 * ```
 */
const run = <F extends Task.Call>(
  task: F,
  ...args: Task.Args<F>
): Effect.Effect<Task.Success<F>, Task.Failure<F> | TaskError, Executor> =>
  whenThereIsRoom((executor, fiber) =>
    // All in one, so that a call costs no more than this callback, and nothing can come between handing in and waiting.
    Effect.callback((resume) => {
      const cell = executor[openCell](task, args, callerOf(fiber, executor[openTracing]))
      resumeWith(cell, resume)
      return Future.interrupt(cell)
    })
  )

const handIn = <F extends Task.Call>(
  task: F,
  args: Task.Args<F>
): Effect.Effect<FutureCell<Task.Success<F>, Task.Failure<F>>, never, Executor> =>
  whenThereIsRoom((executor, fiber) =>
    Effect.sync(() => executor[openCell](task, args, callerOf(fiber, executor[openTracing])))
  )

/** Waits for room, and takes it at once when there is some: whoever else was woken looks again. */
const whenThereIsRoom = <A, E>(
  take: (executor: OpenExecutor, fiber: Fiber.Fiber<unknown, unknown>) => Effect.Effect<A, E>
): Effect.Effect<A, E, Executor> =>
  Effect.withFiber(function attempt(fiber): Effect.Effect<A, E> {
    const executor = Context.getUnsafe(fiber.context, executorKey) as OpenExecutor
    if (executor[openRoom]) return take(executor, fiber)
    return Effect.flatMap(Effect.promise(() => executor.ready()), () => Effect.withFiber(attempt))
  })

/** Items as the Effect face takes them: a `Stream` too. */
type StreamItems<F> = Items<F> | Stream.Stream<Task.Args<F>[0], any, any>
type ItemsError<I> = I extends Stream.Stream<any, infer E, any> ? E : never
type ItemsContext<I> = I extends Stream.Stream<any, any, infer R> ? R : never

/** What `mapExit` yields: an `Exit`, with the item that it belongs to. */
export type MapExit<F> = Exit.Exit<Task.Success<F>, Task.Failure<F> | TaskError> & {
  /** The position of the item in the input, from 0. */
  readonly index: number
  /** The item as it was pulled, not a copy. */
  readonly item: Task.Args<F>[0]
}

/**
 * As `map`, with each item's outcome as an `Exit` that has `index` and `item`; failures do not end it.
 *
 * ```ts
 * const lines = Executor.mapExit(fib, [20, 21]).pipe(Stream.map(({ _tag, index }) => `${index}: ${_tag}`))
 * ```
 */
const mapExit = <F extends Task.Call, I extends StreamItems<F>>(
  task: F,
  items: I,
  options?: MapOptions
): Stream.Stream<MapExit<F>, ItemsError<I>, Executor | ItemsContext<I>> => overItems(task, items, options, asExits<F>)

/** A map over items, or over those of a stream. */
const overItems = <F extends Task.Call, B, E>(
  task: F,
  items: StreamItems<F>,
  options: MapOptions | undefined,
  taken: Take<F, B>
): Stream.Stream<B, E, any> => {
  const over = (iterable: Items<F>, isStream: boolean) =>
    mapped<F, B, E>((executor, caller) => executor[openMap](task, iterable, options, false, caller), taken, isStream)
  if (!Stream.isStream(items)) return over(items, false)
  const opened = Stream.toAsyncIterableEffect(items as Stream.Stream<Task.Args<F>[0]>)
  return Stream.unwrap(Effect.map(opened, (iterable) => over(iterable, true)))
}

/** What becomes of the outcomes that are here: items to go on with, and the failure that ends all, behind them. */
type Take<F, B> = (outcomes: ReadonlyArray<Outcome<Task.Success<F>>>, opened: MapRun<Task.Success<F>>) => {
  readonly items: ReadonlyArray<B>
  readonly failure?: { readonly error: unknown }
  /** Whether a map that was stopped fails behind its last item. */
  readonly endsWithStop?: boolean
}

/** What a map yields, in the chunks in which it comes. A `Stream` as its input is waited for when it is closed: it ends also while it is silent. */
const mapped = <F extends Task.Call, B, E>(
  openRun: (executor: OpenExecutor, caller: Caller) => MapRun<Task.Success<F>>,
  taken: Take<F, B>,
  isStream = false
): Stream.Stream<B, E, Executor> =>
  Stream.unwrap(Effect.gen(function*() {
    const executor = (yield* executorKey) as OpenExecutor
    const opened = yield* Effect.acquireRelease(
      Effect.withFiber((fiber) => Effect.sync(() => openRun(executor, callerOf(fiber, executor[openTracing])))),
      (each) => Effect.promise(() => each.close(isStream))
    )
    type Pulled = Pull.Pull<Arr.NonEmptyReadonlyArray<B>, E>
    const next = Effect.tryPromise({ try: () => opened.next(), catch: (error) => error as E })
    let ended: { readonly error: unknown } | undefined
    const fail = (error: unknown): Pulled => Effect.fail(error as E)
    const stopped = (failure: Failure): Pulled =>
      taken([], opened).endsWithStop ? fail(effectError(failure, opened.label)) : Cause.done()
    const pull = (): Pulled =>
      Effect.suspend((): Pulled => {
        if (ended !== undefined) return fail(ended.error)
        return Effect.flatMap(next, (first): Pulled => {
          if (first === undefined) return opened.stoppedBy === undefined ? Cause.done() : stopped(opened.stoppedBy)
          const { failure, items } = taken([first, ...opened.ready()], opened)
          ended = failure
          if (items.length === 0 && failure === undefined) return pull()
          return Arr.isReadonlyArrayNonEmpty(items) ? Effect.succeed(items) : fail(failure!.error)
        })
      })
    return Stream.fromPull(Effect.succeed(pull()))
  }))

const asExits = <F>(
  outcomes: ReadonlyArray<Outcome<Task.Success<F>>>,
  opened: MapRun<Task.Success<F>>
): { readonly items: ReadonlyArray<MapExit<F>> } => ({
  items: outcomes
    .filter((outcome) => outcome.ok || !opened.isAborted(outcome.failure))
    .map((outcome) => exitOf<F>(outcome, opened.label))
})

const asValues = <A>(
  outcomes: ReadonlyArray<Outcome<A>>,
  { label }: MapRun<A>
): {
  readonly items: ReadonlyArray<A>
  readonly failure?: { readonly error: unknown }
  readonly endsWithStop: true
} => {
  const items: Array<A> = []
  for (const outcome of outcomes) {
    if (!outcome.ok) {
      return { items, failure: { error: effectError(outcome.failure, label, outcome.index) }, endsWithStop: true }
    }
    items.push(outcome.value)
  }
  return { items, endsWithStop: true }
}

const exitOf = <F>(outcome: Outcome<Task.Success<F>>, label: string | undefined): MapExit<F> => {
  const { index, item } = outcome
  const exit = outcome.ok
    ? Exit.succeed(outcome.value)
    : Exit.fail(effectError(outcome.failure, label, index) as Task.Failure<F> | TaskError)
  return Object.assign(exit, { index, item: item as Task.Args<F>[0] })
}

/**
 * Calls the task with each item, pulled as results are taken, and yields the results in order; the first failure ends it and cancels the rest.
 *
 * ```ts
 * const program = Executor.map(fib, [20, 21, 22]).pipe(Stream.runCollect)
 * ```
 */
const map = <F extends Task.Call, I extends StreamItems<F>>(
  task: F,
  items: I,
  options?: MapOptions
): Stream.Stream<Task.Success<F>, Task.Failure<F> | TaskError | ItemsError<I>, Executor | ItemsContext<I>> =>
  overItems(task, items, options, asValues)

/** As `map`, for a task of several arguments: each item is a tuple of them. */
const starmap = <F extends Task.Call>(
  task: F,
  tuples: Tuples<F>,
  options?: MapOptions
): Stream.Stream<Task.Success<F>, Task.Failure<F> | TaskError, Executor> =>
  mapped((executor, caller) => executor[openMap](task, tuples as never, options, true, caller), asValues)

/** Runs a generator task, or one that returns a `Stream`; ending early stops it and runs its finalizers. */
const stream = <F extends Task.Stream>(
  task: F,
  ...args: Task.Args<F>
): Stream.Stream<Task.Item<F>, Task.Failure<F> | TaskError, Executor> =>
  Stream.unwrap(Effect.gen(function*() {
    const executor = (yield* executorKey) as OpenExecutor
    const opened = yield* Effect.acquireRelease(
      Effect.withFiber((fiber) =>
        Effect.sync(() => executor[openStream](task, args, callerOf(fiber, executor[openTracing])))
      ),
      (each) => Effect.promise(() => each.close())
    )
    type Pulled = Pull.Pull<Arr.NonEmptyReadonlyArray<Task.Item<F>>, Task.Failure<F> | TaskError>
    return Stream.fromPull(Effect.succeed(Effect.flatMap(Effect.promise(() => opened.next()), (items): Pulled => {
      if (items !== undefined && Arr.isReadonlyArrayNonEmpty(items)) return Effect.succeed(items)
      const { failure } = opened
      return failure === undefined
        ? Cause.done()
        : Effect.fail(effectError(failure, opened.label) as Task.Failure<F> | TaskError)
    })))
  }))

/** Takes no more calls, waits for those that there are, ends the workers. Idempotent. */
const shutdown = (options?: ShutdownOptions): Effect.Effect<void, never, Executor> =>
  executorKey.use((executor) => Effect.promise(() => executor.shutdown(options)))

/** Cancels what is pending, interrupts what runs, ends the workers. */
const terminate: Effect.Effect<void, never, Executor> = executorKey.use((executor) =>
  Effect.promise(() => executor.terminate())
)

/** Cancels the calls that are pending now, as `executor.cancelPending()` does; how many. */
const cancelPending: Effect.Effect<number, never, Executor> = executorKey.useSync((executor) =>
  executor.cancelPending()
)

/** Replaces all workers, as `executor.recycle()` does. */
const recycle: Effect.Effect<void, never, Executor> = executorKey.use((executor) =>
  Effect.promise(() => executor.recycle())
)

/** How many calls wait, run and have ended, and how many workers there are. */
const stats: Effect.Effect<ExecutorStats, never, Executor> = executorKey.useSync((executor) => executor.stats())

/** Executors by the names that `EXECUTOR_BACKEND` may say. */
export type Backends = Readonly<Record<string, ExecutorClass>>

/** The executor's options, and which backend. */
export interface OpenOptions<Name extends string = string> extends ExecutorOptions {
  /** One of the names of `backends`; the first by default. */
  readonly backend?: Name | undefined
}

const choose = (backends: Backends, name: unknown, option: string): ExecutorClass => {
  const names = Object.keys(backends)
  if (typeof name === "string" && Object.hasOwn(backends, name)) return backends[name]!
  throw new InvalidOptionError({
    option,
    received: name,
    expected: names.map((each) => JSON.stringify(each)).join(" or ")
  })
}

/**
 * An executor of the backend that is named, at once; with no second argument, of the one that the environment names (`EXECUTOR_BACKEND`, or the first
 * given, and `EXECUTOR_MAX_WORKERS` and so on). Throws `InvalidOptionError`.
 *
 * ```ts
 * await using executor = Executor.open({ inline: InlineExecutor, thread: ThreadExecutor }, { backend: "thread", maxWorkers: 4 })
 * ```
 */
const open = <B extends Backends>(backends: B, options?: OpenOptions<NoInfer<Extract<keyof B, string>>>): Executor => {
  const first = Object.keys(backends)[0]
  if (options === undefined) {
    return new (choose(backends, process.env["EXECUTOR_BACKEND"] || first, "EXECUTOR_BACKEND"))(
      optionsFromText((variable) => process.env[variable])
    )
  }
  const { backend = first, ...rest } = ownObject(options)
  return new (choose(backends, backend, "backend"))(rest)
}

/**
 * The executor that the configuration names: `EXECUTOR_BACKEND` (or the first given) and `EXECUTOR_MAX_WORKERS` and so on, read from the
 * `ConfigProvider`. Fails with `InvalidOptionError` naming the variable.
 *
 * ```ts
 * const program = Executor.run(fib, 30).pipe(
 *   Effect.provide(Executor.layerConfig({ thread: ThreadExecutor, process: ProcessExecutor }))
 * )
 * ```
 */
const layerConfig = (backends: Backends): Layer.Layer<Executor, InvalidOptionError | ConfigError> =>
  Layer.unwrap(Effect.gen(function*() {
    // Effect's Config brings Schema with it: only those who use it load it.
    const { readVariables } = yield* Effect.promise(() => import("./config.ts"))
    const found = yield* readVariables(["EXECUTOR_BACKEND", ...textOptions.map(variableOf)])
    return yield* Effect.try({
      try: () => {
        const backend = choose(backends, found.get("EXECUTOR_BACKEND") || Object.keys(backends)[0], "EXECUTOR_BACKEND")
        return backend.layer(optionsFromText((variable) => found.get(variable)))
      },
      catch: (error) => error as InvalidOptionError
    })
  }))

/**
 * The executor that the running task runs on. A task that waits for what it hands in here gives its slot back meanwhile, so recursion ends with one
 * worker, down to a depth of 1,000 (`NestingTooDeepError`). Throws `InvalidStateError` outside of a task.
 */
const current = (): Executor => currentExecutor()

/** The service key of the executor, and the statics: Effect twins of the methods, each of which needs an `Executor`. */
export const Executor = Object.assign(executorKey, {
  submit,
  run,
  map,
  mapExit,
  starmap,
  stream,
  cancelPending,
  recycle,
  shutdown,
  terminate,
  stats,
  current,
  open,
  layerConfig
})
