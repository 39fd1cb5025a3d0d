/**
 * Functions that can travel.
 *
 * A task **is** the function it was made from; what travels is a reference: the URL of its module and its name. The worker imports the module by
 * that URL, so nothing is evaluated from text, except for `Task.define`. This file is loaded by workers too: it imports neither the engine nor Effect.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Schedule from "effect/Schedule"
import type * as EffectStream from "effect/Stream"
import { isArrayBuffer } from "node:util/types"
import type { MessagePort } from "node:worker_threads"
import { InvalidOptionError, InvalidStateError } from "./ExecutorError.ts"
import type { Executor } from "./ExecutorService.ts"
import type { CallContext } from "./worker/CallContext.ts"
import type { TaskSchemas } from "./worker/codec.ts"
import { currentTask } from "./worker/context.ts"
import type { TaskContext } from "./worker/context.ts"
import { taskSource } from "./worker/load.ts"
import { process } from "./worker/process.ts"
import { noSettings, register, TaskTypeId } from "./worker/registry.ts"
import type { ErrorClass, ErrorCodec, TaskDefinition, TaskFunction, TaskSettings } from "./worker/registry.ts"

/** When a call is tried again. Each attempt is a run of its own; a run that is to be tried again settles nothing. */
export interface RetryOptions {
  /** Attempts after the first, at most. */
  readonly times: number
  /** Pause before the second attempt; none by default. */
  readonly delay?: Duration.Input | undefined
  /** What the pause is multiplied by after each attempt; 1 by default. */
  readonly factor?: number | undefined
  /** Whether this failure is worth another attempt; every one is by default. Asked in the caller. */
  readonly while?: ((error: unknown) => boolean) | undefined
}

/** Options of a call, given with `Task.with`. Durations are milliseconds, or such as `"5 seconds"`. */
export interface TaskOptions {
  /**
   * How long one run may take, counted from its start in the worker; unlimited by default. When it runs out the task is asked to stop, then stopped,
   * and the call fails with `TaskTimeoutError` (`clock: "run"`).
   */
  readonly timeout?: Duration.Input | undefined
  /** How long the call may wait to be started; unlimited by default. Then it fails with `TaskTimeoutError` (`clock: "queue"`) and never runs. */
  readonly queueTimeout?: Duration.Input | undefined
  /**
   * Attempts after the first when the task fails, times out or loses its worker: a number, `RetryOptions`, or an Effect `Schedule` (whose input is the
   * error). None by default: a task runs at most once.
   */
  readonly retry?: number | RetryOptions | Schedule.Schedule<any, any, never, never> | undefined
  /**
   * Calls of higher priority start first. Default: the priority of the running call that submits it with `Executor.current()`, 0
   * outside of a task. A call that is passed over rises, so none starves.
   */
  readonly priority?: number | undefined
  /** Aborting it cancels the call, or interrupts it once it runs (`CancelledError`, `reason: "signal"`). */
  readonly signal?: AbortSignal | undefined
  /** A name for people: shown in `info`, in logs and in warnings. Defaults to the task's name. */
  readonly label?: string | undefined
  /**
   * Buffers within the arguments that are moved instead of copied, where memory is shared; elsewhere they are copied. `Task.transfer` moves those of a
   * result.
   */
  readonly transfer?: ReadonlyArray<ArrayBuffer | MessagePort> | undefined
}

/** What `Task.module` takes besides the functions. */
export interface ModuleOptions {
  /**
   * Error classes that arrive as instances of themselves when a task of this module throws or fails with one. An instance is rebuilt from its fields,
   * without calling the constructor. A class with private members (`#response`) needs `Task.error`; without it its instances arrive as plain errors of the
   * same name, with the values of their getters, and `notRebuilt` says why.
   */
  readonly errors?: ReadonlyArray<ErrorClass | ErrorCodec> | undefined
  /** Services that the module's Effects require, besides `Executor`; built once in each worker, by the first call, and released when it ends. */
  readonly layer?: Layer.Layer<any, any> | undefined
  /**
   * Effect `Schema`s by task name, for classes across the wire: instances arrive as instances, and input that does not fit fails the call with the
   * schema's error. `args` is the schema of the tuple of arguments.
   */
  readonly schemas?: { readonly [name: string]: TaskSchemas } | undefined
}

/** What a task carries: where it comes from, and the options given with `Task.with`. */
export interface TaskInfo {
  /** Its module, its name there, and the function. */
  readonly definition: TaskDefinition
  /** Given with `Task.with`. */
  readonly options: TaskOptions | undefined
}

/** The kind of a task for `submit`, `run` and `map`. A sentence, since the compiler prints it for a plain function. */
export type CallKind = "a task declared with Task.module (a generator task is called with executor.stream)"
/** The kind of a generator task. A sentence, since the compiler prints it for a task of the other kind. */
export type StreamKind = "a generator task declared with Task.module (any other task is called with executor.submit)"

/** The kind of a task that nothing can call elsewhere. A sentence, since the compiler prints it. */
export type ForeignKind =
  "a task with a parameter that cannot be sent: a function, a symbol, a promise or a Buffer (declare Uint8Array for bytes)"

/** The mark of a task; `Kind` tells calls, which `submit` takes, from generators, which `stream` takes. */
export interface Brand<out Kind extends CallKind | StreamKind | ForeignKind> {
  /** Where it comes from. Of the kind only the type is there. */
  readonly [TaskTypeId]: TaskInfo & { readonly kind?: Kind | undefined }
}

/** Any task that `submit`, `run` and `map` accept. */
export type Call = ((...args: never) => unknown) & Brand<CallKind>
/** Any task that `stream` accepts: a generator, or a function that returns a `Stream`. */
export type Stream = ((...args: never) => unknown) & Brand<StreamKind>
/** Any task. */
export type Any = Call | Stream

type Result<F> = F extends (...args: never) => infer R ? R : never
type IsAny<T> = 0 extends 1 & T ? true : false
type KindOf<R> = IsAny<R> extends true ? CallKind
  : [R] extends [never] ? CallKind
  : R extends Generator<any, any, any> | AsyncGenerator<any, any, any> | EffectStream.Stream<any, any, any> ? StreamKind
  : CallKind

/** A `Buffer`, whether or not its types are there. It arrives as a `Uint8Array`, which lacks its methods. */
type BufferLike = Uint8Array & { readonly readUInt8: (...args: never) => unknown }
type Foreign = ((...args: never) => unknown) | symbol | PromiseLike<unknown> | BufferLike
type IsForeign<T> = IsAny<T> extends true ? false
  : [T] extends [never] ? false
  : [T] extends [Foreign] ? true
  : false
/** Of the required parameters: a task may do without an optional one. */
type HasForeign<A> = [A] extends [never] ? false :
  A extends readonly [infer Head, ...infer Rest] ? IsForeign<Head> extends true ? true : HasForeign<Rest>
  : false

/** The task made from the function `F`. */
export type Of<F> = F & Brand<HasForeign<Args<F>> extends true ? ForeignKind : KindOf<Result<F>>>

/** The arguments of a task. */
export type Args<F> = F extends (...args: infer A) => unknown ? A : never
/** What a call of the task succeeds with. */
export type Success<F> = Result<F> extends infer R
  ? IsAny<R> extends true ? any : R extends Effect.Effect<infer A, any, any> ? A : Awaited<R>
  : never
/** What a generator task yields. */
export type Item<F> = Result<F> extends infer R
  ? R extends Generator<infer A, any, any> | AsyncGenerator<infer A, any, any> | EffectStream.Stream<infer A, any, any>
    ? A
  : never
  : never
/** The typed failures of a task that returns an `Effect`; `never` for one that throws. */
export type Failure<F> = Result<F> extends infer R ? IsAny<R> extends true ? never
  : R extends Effect.Effect<any, infer E, any> | EffectStream.Stream<any, infer E, any> ? E
  : never
  : never

export type { ErrorClass, ErrorCodec }

/** The tasks of a module: its functions, each marked. */
export type Module<T> = { readonly [K in keyof T]: T[K] extends Any ? T[K] : Of<T[K]> }
/** The services that the Effects and Streams of these tasks require, besides `Executor`. */
export type Services<T> = {
  [K in keyof T]: Result<T[K]> extends infer R ? IsAny<R> extends true ? never
    : R extends Effect.Effect<any, any, infer S> | EffectStream.Stream<any, any, infer S>
      ? IsAny<S> extends true ? never : Exclude<S, Executor>
    : never
    : never
}[keyof T]

/** Options of a module; required, with a layer, where its tasks require services. */
type ModuleArguments<T> = [Services<T>] extends [never] ? [options?: ModuleOptions | undefined]
  : [options: ModuleOptions & { readonly layer: Layer.Layer<Services<T>, any> }]

/** References to the functions that a module exports. */
export type References<M> = {
  readonly [K in keyof M as M[K] extends (...args: never) => unknown ? K : never]: M[K] extends Any ? M[K] : Of<M[K]>
}

const mark = (fn: TaskFunction, info: TaskInfo): void => {
  Object.defineProperty(fn, TaskTypeId, { value: info, configurable: true })
}

/**
 * The module that declares tasks: `import.meta`, in CommonJS `module` or `__filename`, or the absolute path or URL of the module as a text.
 */
export type ModuleMeta = { readonly url: string } | { readonly filename: string } | string

/** The URL of a module, from what says where it lies; `undefined` for what does not. */
const urlOf = (meta: unknown): string | undefined => {
  const { filename, url } = (meta ?? {}) as { readonly filename?: unknown; readonly url?: unknown }
  const given = typeof meta === "string" ? meta : url ?? filename
  if (typeof given !== "string") return undefined
  // Before `canParse`, which takes the drive of a Windows path for a protocol. By name, since most workers need neither.
  if (process.getBuiltinModule("node:path").isAbsolute(given)) {
    return process.getBuiltinModule("node:url").pathToFileURL(given).href
  }
  return URL.canParse(given) ? given : undefined
}

/** What makes a function a task, or `undefined` for a plain one. */
export const infoOf = (task: unknown): TaskInfo | undefined =>
  typeof task === "function" ? (task as Partial<Brand<CallKind>>)[TaskTypeId] : undefined

/**
 * Declares the tasks of a module. Each task is the very function given, so calling it runs it here.
 *
 * Throws `InvalidStateError` when a name is declared twice in one module, or when a value is not a function.
 *
 * ```ts
 * // tasks.ts
 * import { Task } from "@futures/core"
 *
 * export const { double } = Task.module(import.meta, {
 *   double: (n: number) => n * 2
 * })
 * ```
 *
 * In CommonJS the first argument is `module` or `__filename`: `Task.module(module, { double: (n) => n * 2 })`.
 *
 * Workers import the module again: keep what must happen once out of it. The tasks need not be exported under the same names.
 */
// `Function`, so that a parameter that its author has not annotated is an implicit `any`, which does not compile.
const module_ = <T extends Record<string, Function>>(
  meta: ModuleMeta,
  tasks: T,
  ...[options]: ModuleArguments<T>
): Module<NoInfer<T>> => {
  const url = urlOf(meta)
  if (url === undefined || typeof tasks !== "object" || tasks === null) {
    throw new InvalidStateError(
      `Task.module(import.meta, { name: function }) takes ${
        url === undefined
          ? "import.meta first (in CommonJS: module or __filename)"
          : "the tasks second, as an object of functions"
      }`
    )
  }
  const settings: TaskSettings = options === undefined
    ? noSettings
    : { errors: [...options.errors ?? []], layer: options.layer, schemas: options.schemas }
  for (const [name, fn] of Object.entries(tasks) as Array<[string, unknown]>) {
    if (typeof fn !== "function") throw new InvalidStateError(`Task.module: "${name}" in ${url} is not a function`)
    const definition: TaskDefinition = { module: url, name, fn: fn as TaskFunction, settings }
    if (!register(meta, definition)) {
      throw new InvalidStateError(`Task.module: "${name}" is declared twice in ${url}`)
    }
    mark(fn as TaskFunction, { definition, options: undefined })
  }
  return tasks as unknown as Module<T>
}

/**
 * Typed references to the functions of a module that you do not own, or do not want to load here.
 *
 * `module` is a `URL`, an absolute specifier (`import.meta.resolve("lodash-es")`, `"node:path"`) or an absolute path (`require.resolve("./tasks.js")`). A name is looked up in the worker among the
 * module's tasks, then among its exports. A reference can only be handed in: calling it throws `InvalidStateError`.
 *
 * ```ts
 * const { basename } = Task.from<typeof import("node:path")>("node:path")
 * await executor.submit(basename, "/a/b.txt").result() // "b.txt"
 * ```
 */
const from = <M>(module: URL | string): References<M> => {
  const url = urlOf(String(module))
  if (url === undefined) {
    throw new InvalidStateError(
      `Task.from: "${module}" is neither an absolute URL nor an absolute path; use new URL(..., import.meta.url), import.meta.resolve or require.resolve`
    )
  }
  const references = new Map<string, TaskFunction>()
  const reference = (name: string): TaskFunction => {
    const fn = (): never => {
      throw new InvalidStateError(
        `"${name}" is a reference into ${url}: hand it to an executor, it cannot be called here`
      )
    }
    Object.defineProperty(fn, "name", { value: name, configurable: true })
    mark(fn, { definition: { module: url, name, fn: undefined, settings: noSettings }, options: undefined })
    return fn
  }
  return new Proxy(Object.create(null), {
    get: (_, name) => {
      // `then` is asked for by `await`, symbols by inspection: neither names a task.
      if (typeof name === "symbol" || name === "then") return undefined
      let fn = references.get(name)
      if (fn === undefined) references.set(name, fn = reference(name))
      return fn
    }
  }) as References<M>
}

/**
 * Makes a task from the source of a function, for interactive sessions: a REPL, `node -e`, a notebook, where there is no module that workers could import.
 * Only executors with the option `interactive: true` run it.
 *
 * The function may use its parameters, what it declares, globals of Node, `require` and `import()`, and itself by its own name. Throws
 * `InvalidStateError` that names every other variable that it uses, and for classes and functions without source.
 *
 * ```ts
 * const executor = new ThreadExecutor({ interactive: true })
 * const double = Task.define((n: number) => n * 2)
 * await executor.run(double, 21) // 42
 * ```
 *
 * @typeParam F The function's type, which is also that of its arguments and its result.
 */
const define = <F extends (...args: Array<any>) => unknown>(fn: F): Of<F> => {
  if (typeof fn !== "function") throw new InvalidStateError("Task.define takes a function")
  if (infoOf(fn) !== undefined) throw new InvalidStateError(`Task.define: "${fn.name}" is a task already`)
  const defined = taskSource().moduleOf(fn as TaskFunction)
  if ("problem" in defined) {
    throw new InvalidStateError(`Task.define: the function${fn.name === "" ? "" : ` "${fn.name}"`} ${defined.problem}`)
  }
  const definition: TaskDefinition = { module: defined.url, name: defined.name, fn: undefined, settings: fromSource }
  mark(fn, { definition, options: undefined })
  return fn as Of<F>
}

const fromSource: TaskSettings = { ...noSettings, fromSource: true }

/**
 * The same task with options: a new callable of the same function, which changes nothing else. Options given earlier stay unless given again.
 *
 * ```ts
 * const patient = Task.with(who, { timeout: "5 seconds", label: "who, patiently" })
 * ```
 */
const with_ = <F extends Any>(task: F, options: TaskOptions): F => {
  const info = infoOf(task)
  if (info === undefined) throw new InvalidStateError("Task.with: not a task; make one with Task.module or Task.from")
  const fn = task as unknown as TaskFunction
  const callable = function(this: unknown, ...args: Array<unknown>) {
    return fn.apply(this, args)
  }
  Object.defineProperty(callable, "name", { value: fn.name, configurable: true })
  mark(callable, { definition: info.definition, options: { ...info.options, ...options } })
  return callable as unknown as F
}

/**
 * The call that is running: its id, attempt, worker and abort signal; `undefined` outside of one.
 *
 * ```ts
 * const signal = Task.current()?.signal
 * ```
 */
const current = (): TaskContext | undefined => currentTask()

/**
 * Says which buffers of a result move to the caller instead of being copied, where memory is shared; elsewhere they are copied. Answers `value`, as
 * `transfer` of Comlink does.
 *
 * It counts for this very value, when the running call returns or yields it: one that is inside of another, or that another call returns, is copied as
 * ever. When it is captured, its buffers are the task's no more, also those that are listed and not in it. All are moved or none: a result that is
 * refused detaches nothing. Outside of a running task it does nothing.
 *
 * Throws `InvalidOptionError` when `buffers` is not a list of different `ArrayBuffer`s.
 *
 * ```ts
 * const brighten = (pixels: Uint8Array<ArrayBuffer>) => {
 *   for (let i = 0; i < pixels.length; i++) pixels[i] = Math.min(255, pixels[i]! * 2)
 *   return Task.transfer(pixels, [pixels.buffer])
 * }
 * ```
 */
const transfer = <A>(value: A, buffers: ReadonlyArray<ArrayBuffer>): A => {
  const isList = Array.isArray(buffers) && buffers.every((buffer) => isArrayBuffer(buffer))
  if (!isList || new Set(buffers).size < buffers.length) {
    throw new InvalidOptionError({
      option: "transfer",
      received: buffers,
      expected: "an array of different ArrayBuffers"
    })
  }
  const context = currentTask() as CallContext | undefined
  if (context !== undefined && typeof value === "object" && value !== null) {
    ;(context.moving ??= new WeakMap()).set(value, [...buffers])
  }
  return value
}

/**
 * For `errors` of `Task.module`: how to send the errors of a class that has private members, and how to rebuild them. `encode` runs in the worker and
 * returns a value that can be captured; `decode` runs in the caller and returns an instance. The stack is kept. When one of them throws, the error
 * arrives as a plain one of the same name, and `notRebuilt` says why.
 *
 * ```ts
 * class HttpError extends Error {
 *   readonly #status: number
 *   constructor(status: number) {
 *     super(`HTTP ${status}`)
 *     this.#status = status
 *   }
 *   get status() {
 *     return this.#status
 *   }
 * }
 *
 * const httpError = Task.error(HttpError, { encode: (error) => error.status, decode: (status) => new HttpError(status) })
 * ```
 */
const error = <E extends object, A>(
  errorClass: abstract new(...args: never) => E,
  codec: { readonly encode: (error: E) => A; readonly decode: (value: A) => E }
): ErrorCodec => {
  const { decode, encode } = codec ?? {}
  if (typeof errorClass !== "function" || typeof encode !== "function" || typeof decode !== "function") {
    throw new InvalidStateError("Task.error takes a class and { encode, decode }, two functions")
  }
  return { class: errorClass, encode, decode }
}

export { current, define, error, from, module_ as module, transfer, with_ as with }
