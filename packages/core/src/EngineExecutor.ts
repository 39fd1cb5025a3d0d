/** The public methods over an engine. */
import type { Tracing } from "./callSpans.ts"
import { plain } from "./engine/CallForm.ts"
import type { Caller, CallForm } from "./engine/CallForm.ts"
import type { ShutdownOptions } from "./engine/Closing.ts"
import type { Engine, ExecutorStats } from "./engine/Engine.ts"
import type { FutureCell } from "./engine/FutureCell.ts"
import { MapRun } from "./engine/map.ts"
import { mapSettled, mapValues } from "./engine/mapIterables.ts"
import type { MapSettledResult } from "./engine/mapIterables.ts"
import type { MapOptions } from "./engine/mapOptions.ts"
import { StreamRun, streamValues } from "./engine/stream.ts"
import { InvalidOptionError } from "./ExecutorError.ts"
import { openCell, openMap, openRoom, openStream, openTracing } from "./ExecutorService.ts"
import type { Items, OpenExecutor, Tuples } from "./ExecutorService.ts"
import type { Future } from "./Future.ts"
import type * as Task from "./Task.ts"

/** `ready({ timeout })` looks as if it waited no longer. */
const noOptions = (method: string, received: unknown): InvalidOptionError =>
  new InvalidOptionError({ option: "options", received, expected: "left out", message: `${method}() takes no options` })

export class EngineExecutor implements OpenExecutor {
  readonly #engine: Engine
  /** What every call of this executor has. */
  readonly #form: CallForm
  readonly [openTracing]: Tracing | undefined

  constructor(engine: Engine, form: CallForm = plain) {
    this.#engine = engine
    this.#form = form
    const { backend, options: { name, tracing } } = engine
    this[openTracing] = tracing ? { name, remote: backend.remote === true } : undefined
  }

  submit<F extends Task.Call>(task: F, ...args: Task.Args<F>): Future<Task.Success<F>, Task.Failure<F>> {
    const cell = this.#engine.submit(task, args as Array<unknown>, this.#form)
    this.#engine.startNow()
    return cell
  }

  run<F extends Task.Call>(task: F, ...args: Task.Args<F>): Promise<Task.Success<F>> {
    return this.#engine.submit(task, args as Array<unknown>, this.#form).result()
  }

  map<F extends Task.Call>(task: F, items: Items<F>, options?: MapOptions): AsyncIterableIterator<Task.Success<F>> {
    return mapValues(this[openMap](task, items, options))
  }

  mapSettled<F extends Task.Call>(
    task: F,
    items: Items<F>,
    options?: MapOptions
  ): AsyncIterableIterator<MapSettledResult<Task.Success<F>, Task.Args<F>[0]>> {
    return mapSettled<Task.Success<F>, Task.Args<F>[0]>(this[openMap](task, items, options))
  }

  [openMap]<F extends Task.Call>(
    task: F,
    items: Items<F>,
    options?: MapOptions,
    spread = false,
    caller?: Caller
  ): MapRun<Task.Success<F>> {
    return new MapRun(this.#engine, this.#formOf(caller), task, items, options, spread)
  }

  [openCell]<F extends Task.Call>(
    task: F,
    args: Task.Args<F>,
    caller: Caller
  ): FutureCell<Task.Success<F>, Task.Failure<F>> {
    const cell: FutureCell = this.#engine.submit(task, args as Array<unknown>, this.#formOf(caller))
    caller.spans?.submitted(cell)
    return cell
  }

  #formOf(caller: Caller | undefined): CallForm {
    return caller?.trace === undefined ? this.#form : { ...this.#form, ...caller }
  }

  get [openRoom](): boolean {
    return this.#engine.room.isThere
  }

  starmap<F extends Task.Call>(
    task: F,
    tuples: Tuples<F>,
    options?: MapOptions
  ): AsyncIterableIterator<Task.Success<F>> {
    return mapValues(this[openMap](task, tuples as never, options, true))
  }

  stream<F extends Task.Stream>(task: F, ...args: Task.Args<F>): AsyncIterableIterator<Task.Item<F>> {
    return streamValues(this[openStream](task, args))
  }

  [openStream]<F extends Task.Stream>(task: F, args: Task.Args<F>, caller?: Caller): StreamRun<Task.Item<F>> {
    return new StreamRun(this.#engine, this.#formOf(caller), task, args as Array<unknown>)
  }

  ready(...none: ReadonlyArray<never>): Promise<void> {
    if (none[0] !== undefined) return Promise.reject(noOptions("ready", none[0]))
    return this.#engine.ready()
  }

  cancelPending(): number {
    return this.#engine.cancelWaiting()
  }

  recycle(): Promise<void> {
    return this.#engine.renewal.renew()
  }

  shutdown(options?: ShutdownOptions): Promise<void> {
    return this.#engine.shutdown(options)
  }

  terminate(): Promise<void> {
    return this.#engine.terminate()
  }

  stats(): ExecutorStats {
    this.#engine.look()
    return this.#engine.stats
  }

  /** As `console.log` and the REPL show it. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    const { options: { name }, state, stats: { pending, running, workers } } = this.#engine
    return `Executor(${name}: ${state}, ${pending} pending, ${running} running, ${workers} workers)`
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown()
  }
}
