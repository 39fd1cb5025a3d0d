/**
 * The executor: hand in a task, get a future.
 *
 * **Statics speak Effect; instances speak Promise.** `executor.submit(...)` answers with a `Future` at once; `Executor.submit(...)` is an Effect that
 * needs an `Executor` in its context. Both are the same engine.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import type { ConfigError } from "effect/Config"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import { callerOf } from "./callSpans.ts"
import type { Caller } from "./engine/CallForm.ts"
import type { ShutdownOptions } from "./engine/Closing.ts"
import type { ExecutorStats } from "./engine/Engine.ts"
import { effectError } from "./engine/Failure.ts"
import type { FutureCell } from "./engine/FutureCell.ts"
import type { MapOptions, MapRun } from "./engine/map.ts"
import type { Outcome } from "./engine/MapChunk.ts"
import type { ExecutorClass } from "./executorClass.ts"
import { ExecutorShutdownError, InvalidOptionError, QueueFullError } from "./ExecutorError.ts"
import type { TaskError } from "./ExecutorError.ts"
import type * as Service from "./ExecutorService.ts"
import { executorKey, openCell, openMap, openRoom, openStream, openTracing } from "./ExecutorService.ts"
import type { Items, OpenExecutor, Tuples } from "./ExecutorService.ts"
import { Future } from "./Future.ts"
import type { ExecutorOptions } from "./options.ts"
import { optionsFromText, textOptions, variableOf } from "./options.ts"
import type * as Task from "./Task.ts"
import { currentExecutor } from "./worker/nested.ts"

export type Executor = Service.Executor

/**
 * Hands in a call; waits for room first when the queue is bounded. Fails with `ExecutorShutdownError`, or with `QueueFullError` where the executor is
 * set to reject. The caller's span and log annotations travel with the call.
 */
const submit = <F extends Task.Call>(
  task: F,
  ...args: Task.Args<F>
): Effect.Effect<Future<Task.Success<F>, Task.Failure<F>>, ExecutorShutdownError | QueueFullError, Executor> =>
  Effect.flatMap(handIn(task, args), (cell) => {
    const refusal = cell.refused ? cell.failure.build() : undefined
    if (!(refusal instanceof ExecutorShutdownError || refusal instanceof QueueFullError)) return Effect.succeed(cell)
    cell.watch()
    return Effect.fail(refusal)
  })

/** Hands in a call and waits for its result; interrupting it interrupts the task, and waits until that has stopped. */
const run = <F extends Task.Call>(
  task: F,
  ...args: Task.Args<F>
): Effect.Effect<Task.Success<F>, Task.Failure<F> | TaskError, Executor> =>
  Effect.flatMap(
    handIn(task, args),
    (cell) => Effect.onInterrupt(Future.result<Task.Success<F>, Task.Failure<F>>(cell), () => Future.interrupt(cell))
  )

/** Waits for room, and takes it at once when there is some: whoever else was woken looks again. */
const handIn = <F extends Task.Call>(
  task: F,
  args: Task.Args<F>
): Effect.Effect<FutureCell<Task.Success<F>, Task.Failure<F>>, never, Executor> =>
  executorKey.use((service) =>
    Effect.withFiber(function attempt(fiber): Effect.Effect<FutureCell<Task.Success<F>, Task.Failure<F>>> {
      const executor = service as OpenExecutor
      if (executor[openRoom]) {
        return Effect.succeed(executor[openCell](task, args, callerOf(fiber, executor[openTracing])))
      }
      return Effect.flatMap(Effect.promise(() => executor.ready()), () => Effect.withFiber(attempt))
    })
  )

/** Items as the Effect face takes them: a `Stream` too. */
type StreamItems<F> = Items<F> | Stream.Stream<Task.Args<F>[0], any, any>
type ItemsError<I> = I extends Stream.Stream<any, infer E, any> ? E : never
type ItemsContext<I> = I extends Stream.Stream<any, any, infer R> ? R : never

/** As `map`, with each item's outcome as an `Exit`; failures do not end it. */
const mapExit = <F extends Task.Call, I extends StreamItems<F>>(
  task: F,
  items: I,
  options?: MapOptions
): Stream.Stream<
  Exit.Exit<Task.Success<F>, Task.Failure<F> | TaskError>,
  ItemsError<I>,
  Executor | ItemsContext<I>
> => {
  if (!Stream.isStream(items)) {
    return outcomes(task, (executor, caller) => executor[openMap](task, items as Items<F>, options, false, caller))
  }
  const source = Stream.toAsyncIterableEffect(items as Stream.Stream<Task.Args<F>[0]>)
  return Stream.unwrap(
    Effect.map(
      source,
      (iterable) => outcomes(task, (executor, caller) => executor[openMap](task, iterable, options, false, caller))
    )
  )
}

/** The outcomes of a map, in the chunks in which they come. */
const outcomes = <F extends Task.Call, E>(
  _: F,
  openRun: (executor: OpenExecutor, caller: Caller) => MapRun<Task.Success<F>>
): Stream.Stream<Exit.Exit<Task.Success<F>, Task.Failure<F> | TaskError>, E, Executor> =>
  Stream.unwrap(Effect.gen(function*() {
    const executor = (yield* executorKey) as OpenExecutor
    const opened = yield* Effect.acquireRelease(
      Effect.withFiber((fiber) => Effect.sync(() => openRun(executor, callerOf(fiber, executor[openTracing])))),
      (each) => Effect.promise(() => each.close())
    )
    const next = Effect.tryPromise({ try: () => opened.next(), catch: (error) => error as E })
    return Stream.fromPull(Effect.succeed(Effect.flatMap(next, (first) => {
      if (first === undefined) return Cause.done()
      return Effect.succeed(Arr.map([first, ...opened.ready()] as const, (outcome) => exitOf<F>(outcome)))
    })))
  })) as never

const exitOf = <F>(outcome: Outcome<Task.Success<F>>): Exit.Exit<Task.Success<F>, Task.Failure<F> | TaskError> =>
  outcome.ok ? Exit.succeed(outcome.value) : Exit.fail(effectError(outcome.failure) as Task.Failure<F> | TaskError)

/** Calls the task with each item, pulled as results are taken, and yields the results in order; the first failure ends it and cancels the rest. */
const map = <F extends Task.Call, I extends StreamItems<F>>(
  task: F,
  items: I,
  options?: MapOptions
): Stream.Stream<Task.Success<F>, Task.Failure<F> | TaskError | ItemsError<I>, Executor | ItemsContext<I>> =>
  Stream.mapEffect(mapExit(task, items, options), (exit) => exit)

/** As `map`, for a task of several arguments: each item is a tuple of them. */
const starmap = <F extends Task.Call>(
  task: F,
  tuples: Tuples<F>,
  options?: MapOptions
): Stream.Stream<Task.Success<F>, Task.Failure<F> | TaskError, Executor> =>
  Stream.mapEffect(
    outcomes<F, never>(task, (executor, caller) => executor[openMap](task, tuples as never, options, true, caller)),
    (exit) => exit
  )

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
      return failure === undefined ? Cause.done() : Effect.fail(effectError(failure) as Task.Failure<F> | TaskError)
    })))
  }))

const shutdown = (options?: ShutdownOptions): Effect.Effect<void, never, Executor> =>
  executorKey.use((executor) => Effect.promise(() => executor.shutdown(options)))

const terminate: Effect.Effect<void, never, Executor> = executorKey.use((executor) =>
  Effect.promise(() => executor.terminate())
)

const stats: Effect.Effect<ExecutorStats, never, Executor> = executorKey.useSync((executor) => executor.stats())

/** Executors by the names that `EXECUTOR_BACKEND` may say. */
export type Backends = Readonly<Record<string, ExecutorClass>>

/** The executor's options, and which backend. */
export interface OpenOptions extends ExecutorOptions {
  readonly backend?: string | undefined
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
const open = (backends: Backends, options?: OpenOptions): Executor => {
  const first = Object.keys(backends)[0]
  if (options === undefined) {
    return new (choose(backends, process.env["EXECUTOR_BACKEND"] || first, "EXECUTOR_BACKEND"))(
      optionsFromText((variable) => process.env[variable])
    )
  }
  const { backend = first, ...rest } = options
  return new (choose(backends, backend, "backend"))(rest)
}

/**
 * The executor that the configuration names: `EXECUTOR_BACKEND` (or the first given) and `EXECUTOR_MAX_WORKERS` and so on, read from the
 * `ConfigProvider`. Fails with `InvalidOptionError` naming the variable.
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
  shutdown,
  terminate,
  stats,
  current,
  open,
  layerConfig
})
