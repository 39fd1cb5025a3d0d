/** From a backend to the class that people use. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Backend } from "./Backend.ts"
import type { ShutdownOptions } from "./engine/Closing.ts"
import { Engine } from "./engine/Engine.ts"
import { supervise } from "./engine/supervision.ts"
import { EngineExecutor } from "./EngineExecutor.ts"
import { InvalidOptionError } from "./ExecutorError.ts"
import { executorKey } from "./ExecutorService.ts"
import type { Executor } from "./ExecutorService.ts"
import { nestedExecutor } from "./nestedExecutor.ts"
import { resolveOptions } from "./options.ts"
import type { ExecutorOptions, ResolvedOptions } from "./options.ts"
import { infoOf } from "./Task.ts"
import type * as Task from "./Task.ts"
import type { Frame, Setup } from "./wire/frames.ts"
import { captureArgs } from "./wire/value.ts"
import { provideNested } from "./worker/nested.ts"

// Here the engine is loaded: a task that runs inline, or in a process that has executors of its own, finds it without loading it again.
provideNested(nestedExecutor)

/** Options whose `initializer` has arguments that its task takes. */
type WithInitializer<Options, F extends Task.Call> = Options & {
  readonly initializer?:
    // Options that were declared elsewhere say nothing of the task.
    | (Task.Call extends F ? readonly [task: Task.Call, ...args: ReadonlyArray<any>]
      : readonly [task: F, ...args: Task.Args<F>])
    | undefined
}

/** A kind of executor with options of its own. */
export interface ExecutorClassOf<Options extends ExecutorOptions> {
  /** Starts nothing before the first call. Throws `InvalidOptionError`. `F` is the task of the `initializer`, whose arguments are checked against it. */
  new<F extends Task.Call = Task.Call>(options?: WithInitializer<Options, F>): Executor
  /** An executor that lives as long as the scope: closed by success it waits, closed by failure or interruption it cancels and interrupts. */
  make<F extends Task.Call = Task.Call>(
    options?: WithInitializer<Options, F>
  ): Effect.Effect<Executor, InvalidOptionError, Scope.Scope>
  /** The same as a layer. */
  layer<F extends Task.Call = Task.Call>(
    options?: WithInitializer<Options, F>
  ): Layer.Layer<Executor, InvalidOptionError>
}

/** A kind of executor: `ThreadExecutor`, `ProcessExecutor`, ... */
export interface ExecutorClass extends ExecutorClassOf<ExecutorOptions> {}

/** Takes a backend's own options out of those that were given. Throws `InvalidOptionError` for a wrong one. */
export type Configure<Options> = (
  options: Options
) => { readonly backend: Backend; readonly options: ExecutorOptions }

/** What every worker of the executor is told. Throws `InvalidOptionError` when the initializer's arguments cannot travel. */
const setupOf = (
  options: ResolvedOptions,
  backend: Backend
): Omit<Setup, "version" | "workerId" | "number" | "key"> => {
  const { concurrency, context, initializer, memoryLimit, stdio } = options
  const reference = (task: unknown): { readonly module: string; readonly name: string } => {
    const { module, name } = infoOf(task)!.definition
    return { module: backend.locate?.(module) ?? module, name }
  }
  let first: Setup["initializer"]
  if (initializer !== undefined) {
    const [task, ...args] = initializer
    try {
      captureArgs(args, backend)
    } catch (error) {
      const expected = `given arguments that can travel (${(error as Error).message})`
      throw new InvalidOptionError({ option: "initializer", received: args, expected })
    }
    first = { ...reference(task), args }
  }
  const restore = context === undefined ? undefined : reference(context.restore)
  return { concurrency, pipeOutput: stdio === "pipe", memoryLimit, initializer: first, restore }
}

/**
 * The executor class of a backend.
 *
 * ```ts
 * export class VmExecutor extends executorClass(vmBackend) {}
 * ```
 *
 * A backend with options of its own gives a function, which takes them out and returns the rest. `name` is the name of a class that is not extended.
 */
export function executorClass(backend: Backend, name?: string): ExecutorClass
export function executorClass<Options extends ExecutorOptions>(
  configure: Configure<Options>,
  name?: string
): ExecutorClassOf<Options>
export function executorClass(given: Backend | Configure<ExecutorOptions>, name = "BackendExecutor"): ExecutorClass {
  const configure = typeof given === "function"
    ? given
    : (options: ExecutorOptions) => ({ backend: given, options })
  class BackendExecutor extends EngineExecutor {
    constructor(options: ExecutorOptions = {}) {
      const { backend, options: rest } = configure(options)
      const resolved = resolveOptions(rest, backend)
      const setup = setupOf(resolved, backend)
      super(new Engine(backend, resolved, (engine) => supervise(engine, setup)))
    }

    static make(options?: ExecutorOptions): Effect.Effect<Executor, InvalidOptionError, Scope.Scope> {
      return Effect.acquireRelease(
        Effect.try({ try: () => new this(options), catch: (error) => error as InvalidOptionError }),
        (executor, exit) => Effect.promise(() => Exit.isSuccess(exit) ? executor.shutdown() : executor.terminate())
      )
    }

    static layer(options?: ExecutorOptions): Layer.Layer<Executor, InvalidOptionError> {
      return Layer.effect(executorKey, this.make(options))
    }
  }
  return Object.defineProperty(BackendExecutor, "name", { value: name })
}

/** An engine for calls that come as frames from elsewhere. */
export interface CallServer {
  /** Takes `Calls`, `Interrupt` and `Credit`, as a task's own calls come up from a worker. */
  readonly receive: (frame: Frame) => void
  /** Whether it takes calls: not when its workers cannot start. */
  readonly isOpen: () => boolean
  /** As `executor.shutdown()`. */
  readonly shutdown: (options?: ShutdownOptions) => Promise<void>
}

/**
 * Runs calls that come as frames, on workers of the backend. `reply` is given the kind and the body of each frame that goes back: outcomes, what tasks report, and
 * what they write, with the wire id first.
 */
export const serveCalls = (
  backend: Backend,
  options: ExecutorOptions,
  reply: (kind: number, ...body: ReadonlyArray<unknown>) => void
): CallServer => {
  const resolved = resolveOptions(options, backend)
  const setup = setupOf(resolved, backend)
  const engine = new Engine(backend, resolved, (self) => supervise(self, setup))
  const guest = { inHand: () => undefined, reply, listens: true }
  return {
    receive: (frame) => engine.receive(guest, frame),
    isOpen: () => engine.state === "open",
    shutdown: (how) => engine.shutdown(how)
  }
}
