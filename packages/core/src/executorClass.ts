/** From a backend to the class that people use. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Backend } from "./Backend.ts"
import { Engine } from "./engine/Engine.ts"
import type { ExecutorStats, ShutdownOptions } from "./engine/Engine.ts"
import { MapRun, mapSettled, mapValues } from "./engine/map.ts"
import type { MapOptions } from "./engine/map.ts"
import { supervise } from "./engine/supervision.ts"
import type { InvalidOptionError } from "./ExecutorError.ts"
import { executorKey, openMap } from "./ExecutorService.ts"
import type { Executor, Items, OpenExecutor } from "./ExecutorService.ts"
import type { Future } from "./Future.ts"
import { resolveOptions } from "./options.ts"
import type { ExecutorOptions } from "./options.ts"
import type * as Task from "./Task.ts"

/** A kind of executor: `ThreadExecutor`, `ProcessExecutor`, ... */
export interface ExecutorClass {
  /** Starts nothing before the first call. Throws `InvalidOptionError`. */
  new(options?: ExecutorOptions): Executor
  /** An executor that lives as long as the scope: closed by success it waits, closed by failure or interruption it cancels and interrupts. */
  make(options?: ExecutorOptions): Effect.Effect<Executor, InvalidOptionError, Scope.Scope>
  /** The same as a layer. */
  layer(options?: ExecutorOptions): Layer.Layer<Executor, InvalidOptionError>
}

export class EngineExecutor implements OpenExecutor {
  readonly #engine: Engine

  constructor(backend: Backend, options: ExecutorOptions = {}) {
    this.#engine = new Engine(backend, resolveOptions(options, backend), supervise)
  }

  submit<F extends Task.Call>(task: F, ...args: Task.Args<F>): Future<Task.Success<F>, Task.Failure<F>> {
    return this.#engine.submit(task, args as Array<unknown>)
  }

  run<F extends Task.Call>(task: F, ...args: Task.Args<F>): Promise<Task.Success<F>> {
    return this.#engine.submit(task, args as Array<unknown>).result()
  }

  map<F extends Task.Call>(task: F, items: Items<F>, options?: MapOptions): AsyncIterableIterator<Task.Success<F>> {
    return mapValues(this[openMap](task, items, options))
  }

  mapSettled<F extends Task.Call>(
    task: F,
    items: Items<F>,
    options?: MapOptions
  ): AsyncIterableIterator<PromiseSettledResult<Task.Success<F>>> {
    return mapSettled(this[openMap](task, items, options))
  }

  [openMap]<F extends Task.Call>(task: F, items: Items<F>, options?: MapOptions): MapRun<Task.Success<F>> {
    return new MapRun(this.#engine, task, items, options)
  }

  shutdown(options?: ShutdownOptions): Promise<void> {
    return this.#engine.shutdown(options)
  }

  terminate(): Promise<void> {
    return this.#engine.terminate()
  }

  stats(): ExecutorStats {
    return this.#engine.stats
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown()
  }
}

/**
 * The executor class of a backend.
 *
 * ```ts
 * export class VmExecutor extends executorClass(vmBackend) {}
 * ```
 */
export const executorClass = (backend: Backend): ExecutorClass => {
  class BackendExecutor extends EngineExecutor {
    constructor(options?: ExecutorOptions) {
      super(backend, options)
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
  return BackendExecutor
}
