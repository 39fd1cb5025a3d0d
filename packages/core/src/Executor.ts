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
import * as Stream from "effect/Stream"
import type { ExecutorStats, ShutdownOptions } from "./engine/Engine.ts"
import { effectError } from "./engine/Failure.ts"
import { State } from "./engine/FutureCell.ts"
import type { FutureCell } from "./engine/FutureCell.ts"
import type { MapOptions, Outcome } from "./engine/map.ts"
import type { ExecutorClass } from "./executorClass.ts"
import { ExecutorShutdownError, InvalidOptionError, QueueFullError } from "./ExecutorError.ts"
import type { TaskError } from "./ExecutorError.ts"
import type * as Service from "./ExecutorService.ts"
import { executorKey, openMap } from "./ExecutorService.ts"
import type { Items, OpenExecutor } from "./ExecutorService.ts"
import { Future } from "./Future.ts"
import type { ExecutorOptions } from "./options.ts"
import { optionsFromText, textOptions, variableOf } from "./options.ts"
import type * as Task from "./Task.ts"
import { currentExecutor } from "./worker/nested.ts"

export type Executor = Service.Executor

const submit = <F extends Task.Call>(
  task: F,
  ...args: Task.Args<F>
): Effect.Effect<Future<Task.Success<F>, Task.Failure<F>>, ExecutorShutdownError | QueueFullError, Executor> =>
  executorKey.use((executor) => {
    const future = executor.submit(task, ...args)
    const cell = future as unknown as FutureCell
    if (cell.code === State.Failed && cell.attempt === 0) {
      const error = cell.failure.build()
      if (error instanceof ExecutorShutdownError || error instanceof QueueFullError) return Effect.fail(error)
    }
    return Effect.succeed(future)
  })

const run = <F extends Task.Call>(
  task: F,
  ...args: Task.Args<F>
): Effect.Effect<Task.Success<F>, Task.Failure<F> | TaskError, Executor> =>
  executorKey.use((executor) => {
    const future = executor.submit(task, ...args)
    return Effect.onInterrupt(Future.result(future), () => Future.interrupt(future))
  })

/** Items as the Effect face takes them: a `Stream` too. */
type StreamItems<F> = Items<F> | Stream.Stream<Task.Args<F>[0], any, any>
type ItemsError<I> = I extends Stream.Stream<any, infer E, any> ? E : never
type ItemsContext<I> = I extends Stream.Stream<any, any, infer R> ? R : never

const mapExit = <F extends Task.Call, I extends StreamItems<F>>(
  task: F,
  items: I,
  options?: MapOptions
): Stream.Stream<Exit.Exit<Task.Success<F>, Task.Failure<F> | TaskError>, ItemsError<I>, Executor | ItemsContext<I>> =>
  Stream.unwrap(Effect.gen(function*() {
    const executor = yield* executorKey
    const source: Items<F> = Stream.isStream(items)
      ? yield* Stream.toAsyncIterableEffect(items as Stream.Stream<Task.Args<F>[0]>)
      : items as Items<F>
    const mapRun = yield* Effect.acquireRelease(
      Effect.sync(() => (executor as OpenExecutor)[openMap](task, source, options)),
      (opened) => Effect.promise(() => opened.close())
    )
    const next = Effect.tryPromise({ try: () => mapRun.next(), catch: (error) => error as ItemsError<I> })
    return Stream.fromPull(Effect.succeed(Effect.flatMap(next, (first) => {
      if (first === undefined) return Cause.done()
      return Effect.succeed(Arr.map([first, ...mapRun.ready()] as const, (outcome) => exitOf<F>(outcome)))
    })))
  })) as never

const exitOf = <F>(outcome: Outcome<Task.Success<F>>): Exit.Exit<Task.Success<F>, Task.Failure<F> | TaskError> =>
  outcome.ok ? Exit.succeed(outcome.value) : Exit.fail(effectError(outcome.failure) as Task.Failure<F> | TaskError)

const map = <F extends Task.Call, I extends StreamItems<F>>(
  task: F,
  items: I,
  options?: MapOptions
): Stream.Stream<Task.Success<F>, Task.Failure<F> | TaskError | ItemsError<I>, Executor | ItemsContext<I>> =>
  Stream.mapEffect(mapExit(task, items, options), (exit) => exit)

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
    return new (choose(backends, process.env["EXECUTOR_BACKEND"] ?? first, "EXECUTOR_BACKEND"))(
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
        const backend = choose(backends, found.get("EXECUTOR_BACKEND") ?? Object.keys(backends)[0], "EXECUTOR_BACKEND")
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
  shutdown,
  terminate,
  stats,
  current,
  open,
  layerConfig
})
