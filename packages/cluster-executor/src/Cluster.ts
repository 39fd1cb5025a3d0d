/** A cluster, as a program sees it: engines, and executors on them. */
import { InvalidOptionError, InvalidStateError, TaskTimeoutError } from "@futures/core"
import { Task } from "@futures/core"
import type { Executor, Future } from "@futures/core"
import type { frames } from "@futures/core/Backend"
import { ownObject, ownOptions, timers, toMillis } from "@futures/core/Backend"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { resolve } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { BrokerError } from "./broker/BrokerError.ts"
import { readConnection, rootHere } from "./broker/connectionFile.ts"
import { DEFAULT_NAMESPACE } from "./broker/credentials.ts"
import type { Connection } from "./broker/credentials.ts"
import { checkOptions } from "./checkOptions.ts"
import { Client } from "./client/Client.ts"
import { EARLIER } from "./client/KeptCallsLink.ts"
import { listCalls } from "./client/listCalls.ts"
import type { KeptCall } from "./client/listCalls.ts"
import { readOutcome } from "./client/outcomes.ts"
import { ClusterExecutor } from "./ClusterExecutor.ts"
import type { ClusterExecutorOptions } from "./ClusterExecutor.ts"
import type { EngineOptions } from "./engine/options.ts"
import type { SpawnedEngine } from "./engine/spawnEngine.ts"
import { startLocal } from "./local.ts"
import type { Local, LocalOptions } from "./local.ts"
import { changesOf } from "./registry.ts"
import type { Engine, EngineChange } from "./registry.ts"
import { readPoisoned } from "./wire/streams.ts"
import type { DeadLetter } from "./wire/streams.ts"
import { optionsOf } from "./wire/terms.ts"

const { clearInterval, setInterval } = timers

/** How to start a cluster on this machine. */
export interface ClusterStartOptions extends LocalOptions {
  /** Shown where the broker lists who is connected. Default `"futures"`. */
  readonly name?: string | undefined
  /** The name under which the broker keeps the calls of its executors; see the option of `ClusterExecutor`. */
  readonly client?: string | undefined
}

/** How to reach a cluster that runs. */
export interface ClusterConnectOptions extends Partial<Connection> {
  /**
   * The folder below which task modules lie; engines have the same files below theirs. Default: that of `futures-cluster start` on the same machine, and the working
   * directory for modules outside of it.
   */
  readonly root?: string | undefined
  /** A name for people, in lists of connections. */
  readonly name?: string | undefined
  /** The name under which the broker keeps the calls of its executors; see the option of `ClusterExecutor`. */
  readonly client?: string | undefined
}

/** Options of an executor on a cluster that is connected. */
export type ViewOptions = Omit<ClusterExecutorOptions, "servers" | "credentials" | "namespace" | "cluster" | "engines">

const startNames = [
  "broker",
  "client",
  "engines",
  "labels",
  "name",
  "restart",
  "root",
  "slots",
  "textModules"
] as const satisfies ReadonlyArray<keyof ClusterStartOptions>

const connectNames = [
  "client",
  "credentials",
  "name",
  "namespace",
  "root",
  "servers"
] as const satisfies ReadonlyArray<keyof ClusterConnectOptions>

/** A name for people may be any text. */
const checkName = (name: unknown): void => {
  if (typeof name !== "string") throw new InvalidOptionError({ option: "name", received: name, expected: "a string" })
}

/** How long `connect` listens for engines before it answers, in milliseconds. */
const FIRST = 250

/**
 * A cluster: a broker, and engines that joined it from any host (`ipyparallel.Client`).
 *
 * ```ts
 * await using cluster = await Cluster.start({ engines: 2, slots: 2 })
 * const executor = cluster.executor()
 * console.log(await executor.run(fib, 30))
 * ```
 */
export class Cluster implements AsyncDisposable {
  /** The connection, for executors. */
  readonly client: Client
  /** The folder below which task modules lie. */
  readonly root: string
  /** Another folder, for modules that lie outside of that one: the working directory, where no option said otherwise. */
  readonly otherRoot: string | undefined
  readonly #local: Local | undefined
  readonly #direct = new Map<string, ClusterExecutor>()
  readonly #executors = new Set<ClusterExecutor>()
  readonly #clientName: string | undefined
  /** Those of named clients. */
  readonly #kept = new Set<Executor>()
  /** For calls of earlier times. */
  #earlier: Executor | undefined
  #closing: Promise<void> | undefined

  private constructor(
    client: Client,
    { otherRoot, root }: { readonly root: string; readonly otherRoot?: string | undefined },
    local: Local | undefined,
    clientName: string | undefined
  ) {
    this.#clientName = clientName
    this.client = client
    this.root = root
    this.otherRoot = otherRoot
    this.#local = local
  }

  /** Starts a broker and engines here; they end with the cluster, or with this process. Rejects with `InvalidOptionError` or `BrokerError`. */
  static async start(given: ClusterStartOptions = {}): Promise<Cluster> {
    const { client, name = "futures", ...options } = checkOptions(given, startNames, "Cluster.start")
    checkName(name)
    const root = resolve(options.root ?? ".")
    const local = await startLocal({ ...options, root }, name)
    await local.client.registry.waitFor(options.engines ?? 2, FIRST)
    return new Cluster(local.client, { root }, local, client)
  }

  /** Joins a cluster that runs; with no `servers`, the one that `futures-cluster start` described. Rejects with `BrokerError` when there is none (`"connection-file"`), no broker answers (`"unreachable"`), or it does not let us in (`"permission"`). */
  static async connect(given: ClusterConnectOptions = {}): Promise<Cluster> {
    const options = checkOptions(given, connectNames, "Cluster.connect")
    const { credentials = {}, name = "futures", namespace = DEFAULT_NAMESPACE, servers } = options
    checkName(name)
    const described = servers === undefined ? readConnection() : undefined
    const connection = servers === undefined ? described : { servers, credentials, namespace }
    if (connection === undefined) {
      const message = "There is no cluster to connect to: name its servers, or run `futures-cluster start`"
      throw new BrokerError({ reason: "connection-file", message })
    }
    const client = await Client.connect(connection, name)
    await client.registry.waitFor(Infinity, FIRST)
    const here = resolve(".")
    const roots = options.root === undefined
      ? { root: rootHere(described) ?? here, otherRoot: here }
      : { root: resolve(options.root) }
    return new Cluster(client, roots, undefined, options.client)
  }

  /** As `start`, for a scope. */
  static readonly scoped = (options?: ClusterStartOptions): Effect.Effect<Cluster, BrokerError, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.tryPromise({ try: () => Cluster.start(options), catch: (error) => error as BrokerError }),
      (cluster) => Effect.promise(() => cluster.shutdown())
    )

  /** As `connect`, for a scope. */
  static readonly connected = (options?: ClusterConnectOptions): Effect.Effect<Cluster, BrokerError, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.tryPromise({ try: () => Cluster.connect(options), catch: (error) => error as BrokerError }),
      (cluster) => Effect.promise(() => cluster.shutdown())
    )

  /** The key under which Effect programs find a cluster. */
  static readonly service: Context.Service<Cluster, Cluster> = Context.Service<Cluster>(
    "@futures/cluster-executor/Cluster"
  )

  /** A cluster started here, as a layer. */
  static readonly layer = (options?: ClusterStartOptions): Layer.Layer<Cluster, BrokerError> =>
    Layer.effect(Cluster.service, Cluster.scoped(options))

  /** How others reach it. */
  get connection(): Connection {
    return this.client.bus.connection
  }

  /** An executor on all engines, or on those with `labels`: the load-balanced view (`Client.load_balanced_view`). It ends with the cluster. */
  executor(options: ViewOptions = {}): Executor {
    const executor = new ClusterExecutor({ client: this.#clientName, ...options, cluster: this })
    this.#executors.add(executor)
    if ((options.client ?? this.#clientName) !== undefined) this.#kept.add(executor)
    return executor
  }

  /** Whether the broker is connected. While it is not, futures wait, and what `engines()` returns is from before. */
  get isConnected(): boolean {
    return this.client.bus.since !== undefined
  }

  /** The engines that are alive; while the broker is away the last known ones, with `isConnected: false`. */
  engines(): Array<Engine> {
    return this.client.registry.engines()
  }

  /** Engines as they join and leave, starting with those present; and when the broker connection is lost (`"disconnect"`) and back (`"reconnect"`). */
  changes(): AsyncIterableIterator<EngineChange> {
    return changesOf(this.client.registry)
  }

  /** Resolves when so many engines live, with them. Rejects with `TaskTimeoutError` (`clock: "wait"`); `timeout` is 30 seconds by default. */
  async waitForEngines(
    count: number,
    options: { readonly timeout?: Duration.Input | undefined } = {}
  ): Promise<Array<Engine>> {
    const { timeout = "30 seconds" } = ownOptions(options, ["timeout"], "waitForEngines")
    const after = toMillis(timeout, "timeout")
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new InvalidOptionError({ option: "count", received: count, expected: "a whole number of at least 0" })
    }
    if (!await this.client.registry.waitFor(count, after)) {
      const message = `Waited ${after} ms for ${count} engines (wait timeout): ${this.engines().length} are there`
      throw new TaskTimeoutError({ clock: "wait", after, message })
    }
    return this.engines()
  }

  /** An executor on one engine: the direct view (`Client[id]`). Its calls fail with `BrokenExecutorError` when the engine is gone. It ends with the cluster. */
  direct(id: string): Executor {
    let executor = this.#direct.get(id)
    if (executor === undefined) {
      const slots = this.client.registry.find(id)?.slots ?? 1
      executor = new ClusterExecutor({ cluster: this, engine: id, maxWorkers: slots, name: `cluster ${id}` })
      this.#direct.set(id, executor)
    }
    return executor
  }

  /** Calls the task once on every engine (`DirectView.apply`): a future for each, by the engine's id. */
  broadcast<F extends Task.Call>(
    task: F,
    ...args: Task.Args<F>
  ): Map<string, Future<Task.Success<F>, Task.Failure<F>>> {
    return new Map(this.engines().map(({ id }) => [id, this.direct(id).submit(task, ...args)]))
  }

  /**
   * Cuts the items into as many equal parts as there are engines, and calls the task with one part on each (`DirectView.scatter`). Parts of a
   * typed array are typed arrays.
   */
  scatter<F extends Task.Call>(
    task: F,
    items: Task.Args<F>[0] & (ReadonlyArray<unknown> | TypedArray)
  ): Map<string, Future<Task.Success<F>, Task.Failure<F>>> {
    const engines = this.engines()
    return new Map(engines.map(({ id }, index) => {
      const part = items.slice(cut(items.length, index, engines.length), cut(items.length, index + 1, engines.length))
      return [id, this.direct(id).submit(task, ...[part] as never)]
    }))
  }

  /**
   * The parts of a `scatter`, put together again in its order; rejects with the first failure (`DirectView.gather`). Parts that are typed arrays of
   * one class become one typed array of it.
   */
  gather<A>(parts: ReadonlyMap<string, Future<ReadonlyArray<A>, unknown>>): Promise<Array<A>>
  gather<A extends TypedArray>(parts: ReadonlyMap<string, Future<A, unknown>>): Promise<A>
  async gather(parts: ReadonlyMap<string, Future<unknown, unknown>>): Promise<unknown> {
    return joined(await Promise.all(Array.from(parts.values(), (part) => part.result())))
  }

  /**
   * A call that was handed in before, by this program or one before it, under the name `client`; `id` is its future's `info.id`. It is running until its
   * outcome is there; it fails with `InvalidStateError` when the broker does not know of it, or does not any more. Needs the option `client`.
   *
   * ```ts
   * await using cluster = await Cluster.connect({ client: "nightly" })
   * console.log(await cluster.future<number>(Number(process.argv[2])).result())
   * ```
   */
  future<A = unknown>(id: number): Future<A, never> {
    const { outcome } = Task.from<{ outcome: () => unknown }>(`${EARLIER}${id}`)
    return this.#named().submit(Task.with(outcome, { label: `call ${id}` })) as unknown as Future<A, never>
  }

  /**
   * Hands a call of `client` in once more, with the same task and arguments, as a call of its own. Rejects with `InvalidStateError` when it is not done, or
   * its arguments were not kept: with its result they were longer than 1 GiB, or it was taken out of the queue before it ran and they lay there in pieces.
   */
  async resubmit<A = unknown>(id: number): Promise<Future<A, never>> {
    const named = this.#named()
    const stored = await readOutcome(this.client.bus, this.#clientName!, id)
    if (stored === undefined) {
      throw new InvalidStateError(`Call ${id} of ${this.#clientName} has no outcome yet, or none any more`)
    }
    if (stored.args === undefined) {
      throw new InvalidStateError(`The arguments of call ${id} of ${this.#clientName} were not kept`)
    }
    const task = Task.from<Record<string, (...args: ReadonlyArray<unknown>) => A>>(stored.module)[stored.name]!
    const { args, meta, terms } = stored
    const executor = terms === undefined
      ? named
      : this.executor(optionsOf(terms, (meta as frames.CallMeta | undefined)?.context))
    return executor.submit(task as never, ...args as never) as unknown as Future<A, never>
  }

  /**
   * The calls of `client` that the broker knows, of this program and earlier ones: pending calls, and settled ones while their outcome is kept (`retention`). In
   * the order of their ids; only those with this label, or of a task of this name, if it is given. Each costs a request to the broker, under a millisecond. A `map` or a chunk of one is
   * one call. Throws `InvalidStateError` without the option `client`.
   *
   * ```ts
   * for await (const { id, state } of cluster.calls({ label: "sweep 7" })) console.log(id, state)
   * ```
   */
  calls(options: { readonly label?: string | undefined } = {}): AsyncIterableIterator<KeptCall> {
    this.#named()
    const { label } = checkOptions(options, ["label"], "calls")
    return listCalls(this.client.bus, this.#clientName!, label)
  }

  /** Calls without a named client that killed every engine they met, as the broker keeps them for a week. Those of named clients are read with `future`. */
  poisoned(): Promise<ReadonlyArray<DeadLetter>> {
    return readPoisoned(this.client.bus)
  }

  /**
   * Closes the connection once the broker has every call of named clients, and leaves them to the engines; futures that still wait fail with
   * `WorkerLostError`.
   */
  leave(): Promise<void> {
    return this.#closing ??= held(this.#leave())
  }

  async #leave(): Promise<void> {
    const isWritten = (): boolean =>
      this.client.unwritten === 0 && [...this.#kept].every((each) => each.stats().pending === 0)
    while (!isWritten()) await sleep(5)
    await (this.#local === undefined ? this.client.close() : this.#local.close())
  }

  #named(): Executor {
    if (this.#clientName === undefined) {
      throw new InvalidStateError("Only a cluster with the option client has calls of earlier times")
    }
    return this.#earlier ??= this.executor()
  }

  /** Starts another engine, of a cluster that was started here. */
  async addEngine(options?: Partial<EngineOptions>): Promise<SpawnedEngine> {
    if (this.#local === undefined) throw new InvalidStateError("Only a cluster that was started here can start engines")
    return this.#local.add(options === undefined ? undefined : ownObject(options))
  }

  /** Shuts its executors down, which waits for their calls; then ends what was started here. */
  shutdown(): Promise<void> {
    return this.#closing ??= held(this.#close())
  }

  /** The same now: cancels what is pending, interrupts what runs. */
  terminate(): Promise<void> {
    void Promise.all(this.#views().map((executor) => executor.terminate()))
    return this.shutdown()
  }

  /** As `shutdown()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown()
  }

  #views(): Array<Executor> {
    return [...this.#executors, ...this.#direct.values()]
  }

  async #close(): Promise<void> {
    await Promise.all(this.#views().map((executor) => executor.shutdown()))
    await (this.#local === undefined ? this.client.close() : this.#local.close())
  }
}

/** Keeps the process alive until a promise settles: a connection by itself does not. */
const held = async <A>(promise: Promise<A>): Promise<A> => {
  const alive = setInterval(() => {}, 2 ** 31 - 1)
  try {
    return await promise
  } finally {
    clearInterval(alive)
  }
}

/** Arrays of numbers in one buffer. */
type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array

const isTyped = (part: unknown): part is Float64Array => ArrayBuffer.isView(part) && !(part instanceof DataView)

const joined = (parts: ReadonlyArray<unknown>): unknown => {
  const [first] = parts
  if (!isTyped(first) || !parts.every((part) => isTyped(part) && part.constructor === first.constructor)) {
    return parts.flatMap((part) => isTyped(part) ? Array.from(part) : part)
  }
  const typed = parts as ReadonlyArray<Float64Array>
  const all = new (first.constructor as Float64ArrayConstructor)(typed.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of typed) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Where the part with this number begins. */
const cut = (length: number, index: number, parts: number): number => Math.round(length * index / parts)
