/** The executor on the engines of a cluster. */
import { InvalidOptionError } from "@futures/core"
import type { Executor, ExecutorOptions } from "@futures/core"
import { executorClass, executorOptionNames, ownOptions } from "@futures/core/Backend"
import type { Backend, ExecutorClassOf } from "@futures/core/Backend"
import * as Duration from "effect/Duration"
import { randomUUID } from "node:crypto"
import { availableParallelism } from "node:os"
import { parse, resolve } from "node:path"
import { readConnection, rootHere } from "./broker/connectionFile.ts"
import { DEFAULT_NAMESPACE } from "./broker/credentials.ts"
import type { Credentials } from "./broker/credentials.ts"
import { checkValues } from "./checkOptions.ts"
import { clusterBackend } from "./client/backend.ts"
import { Client } from "./client/Client.ts"
import { keptCalls } from "./client/keptCalls.ts"
import { startLocal } from "./local.ts"
import { MOST_CALLS, poolOf, RETENTION } from "./wire/streams.ts"

/** What becomes of a call whose engine dies: it runs again elsewhere, or fails with `WorkerLostError`. */
export type Delivery = "at-least-once" | "at-most-once"

/** A `Cluster`. */
interface ConnectedCluster {
  readonly client: Client
  /** The folder below which task modules lie. */
  readonly root: string
  /** Another folder, for modules that lie outside of that one. */
  readonly otherRoot: string | undefined
}

/** Options of an executor on a cluster, besides those of all executors. */
export interface ClusterExecutorOptions extends ExecutorOptions {
  /** Each `host:port`. Default: the cluster that `futures-cluster start` described; without one, a broker and engines of its own, ended with it. */
  readonly servers?: ReadonlyArray<string> | undefined
  /** How to prove who we are to the broker. */
  readonly credentials?: Credentials | undefined
  /** Default `"default"`. */
  readonly namespace?: string | undefined
  /** A cluster that is connected already, and stays so. */
  readonly cluster?: ConnectedCluster | undefined
  /**
   * `"at-least-once"` (default): a call whose engine dies runs again on another; one that its engine did not survive three times fails with
   * `PoisonTaskError`. `"at-most-once"`: it fails with `WorkerLostError`.
   */
  readonly delivery?: Delivery | undefined
  /** Only engines with all of these labels. */
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** Only this engine, by its id. */
  readonly engine?: string | undefined
  /**
   * The folder below which task modules lie; engines have the same files below theirs. Default: that of `futures-cluster start` on the same machine, if no
   * `servers` are named; and the working directory, also for modules outside of the first.
   */
  readonly root?: string | undefined
  /** Engines to start, where it starts its own. Default 2. */
  readonly engines?: number | undefined
  /**
   * A name, of letters, digits, `_` and `-`, under which the broker keeps the calls of this executor: each is written down when it is handed in, runs whether
   * or not this program lives, and its outcome can be had later (`cluster.future`). Engines run such calls by themselves, one at a time on workers that
   * they start: `maxWorkers`, `minWorkers`, `concurrency` and `idleTimeout` mean nothing then, and `env`, `execArgv`, `resourceLimits`, `memoryLimit` and
   * `maxTasksPerWorker` are refused. Generator tasks fail. What calls report and write arrives while this program is there. Without a name a call ends with its
   * program. A name is for one program at a time.
   */
  readonly client?: string | undefined
  /** How long the broker keeps outcomes, when this executor is the first to be named there; at least a second. Default 24 hours. */
  readonly retention?: Duration.Input | undefined
  /**
   * How many calls that are not done the broker keeps for the named clients of its namespace together, when this executor is the first to be named there; at
   * least 1. A call beyond that fails with `QueueFullError`, whatever `whenFull` says, and nobody else's is touched. Default 1,000,000.
   */
  readonly maxKept?: number | undefined
}

/** How often a call may kill its engine. */
const DEATHS = 3
/** Workers that an executor asks for, at most, unless `maxWorkers` says: engines have what they have. */
const MOST = 64
/** The broker's names are 255 letters long at most. */
const LONGEST_POOL = 200
/** Calls of a named client that may be with the broker at a time; more wait here. */
const AT_A_TIME = 2 ** 15

const names = [
  "servers",
  "credentials",
  "namespace",
  "cluster",
  "delivery",
  "labels",
  "engine",
  "root",
  "engines",
  "client",
  "retention",
  "maxKept"
] as const satisfies ReadonlyArray<keyof ClusterExecutorOptions>

const configure = (given: ClusterExecutorOptions): { backend: Backend; options: ExecutorOptions } => {
  const options = ownOptions(given, [...names, ...executorOptionNames], "ClusterExecutor")
  const {
    client,
    cluster,
    credentials,
    delivery,
    engine,
    engines,
    labels,
    maxKept,
    namespace,
    retention,
    root,
    servers,
    ...rest
  } = options
  const { argv = [], env = {}, execArgv = [], maxWorkers } = rest
  checkValues({ client, credentials, delivery, engine, engines, labels, maxKept, namespace, retention, root, servers })
  if (engines === 0) {
    throw new InvalidOptionError({ option: "engines", received: engines, expected: "a whole number of at least 1" })
  }
  const described = cluster === undefined && servers === undefined ? readConnection() : undefined
  const connection = servers === undefined
    ? described
    : { servers, credentials: credentials ?? {}, namespace: namespace ?? DEFAULT_NAMESPACE }
  const own = cluster === undefined && connection === undefined
  const wanted = typeof maxWorkers === "number" && maxWorkers >= 1 ? maxWorkers : availableParallelism()
  let opened: Promise<{ readonly client: Client; readonly close: () => Promise<void> }> | undefined
  const open = async (): Promise<Awaited<typeof opened> & {}> => {
    if (cluster !== undefined) return { client: cluster.client, close: async () => {} }
    if (connection !== undefined) {
      const connected = await Client.connect(connection, rest.name ?? "futures executor")
      return { client: connected, close: () => connected.close() }
    }
    const count = engines ?? 2
    const slots = Math.ceil(wanted / count)
    const textModules = rest.interactive === true
    return startLocal({ engines: count, slots, root: rootOf(root, own), textModules }, "futures executor")
  }
  const connect = async (): Promise<Client> => (await (opened ??= open())).client
  const close = async (): Promise<void> => {
    // What could not be opened is not there to be closed.
    const it = await opened?.catch(() => undefined)
    opened = undefined
    await it?.close()
  }
  const isDefault = root === undefined
  const below = (isDefault ? cluster?.root ?? rootHere(described) : undefined) ?? rootOf(root, own)
  const otherRoot = isDefault ? cluster === undefined ? resolve(".") : cluster.otherRoot : undefined
  if (client !== undefined) {
    checkNamed(options)
    const kept = Duration.toMillis(retention ?? RETENTION)
    const starts = delivery === "at-most-once" ? 1 : DEATHS
    const named = {
      name: client,
      root: below,
      otherRoot,
      labels: labels ?? {},
      engine,
      starts,
      retention: kept,
      maxKept: maxKept ?? MOST_CALLS,
      connect,
      close
    }
    return {
      backend: keptCalls(named),
      options: { ...rest, maxWorkers: 1, minWorkers: 0, concurrency: AT_A_TIME, idleTimeout: Infinity }
    }
  }
  const backend = clusterBackend({
    wishes: {
      owner: randomUUID().slice(0, 13),
      labels: labels ?? {},
      engine,
      redeliver: delivery === "at-most-once" ? 0 : DEATHS,
      windows: delivery !== "at-most-once",
      execArgv: Array.isArray(execArgv) ? execArgv : [],
      root: below,
      argv: Array.isArray(argv) ? argv : [],
      env: typeof env === "object" && env !== null ? env : {}
    },
    root: below,
    otherRoot,
    maxWorkers: own ? wanted : MOST,
    connect,
    close
  })
  return { backend, options: rest }
}

/** What makes no sense for calls that outlive this program. */
const checkNamed = (options: ClusterExecutorOptions): void => {
  const expected = "left out, since engines start the workers of a named client by themselves"
  for (const option of ["env", "execArgv", "argv", "resourceLimits", "memoryLimit", "maxTasksPerWorker"] as const) {
    const received = options[option]
    if (received !== undefined) throw new InvalidOptionError({ option, received, expected })
  }
  if (options.interactive === true) {
    const why = "left out: a call that outlives this program needs a task that Task.module declares"
    throw new InvalidOptionError({ option: "interactive", received: true, expected: why })
  }
  if (poolOf(options.labels ?? {}, undefined).length > LONGEST_POOL) {
    const most = `labels that are shorter together, for a named client: up to about ${LONGEST_POOL / 2} letters`
    throw new InvalidOptionError({ option: "labels", received: options.labels, expected: most })
  }
}

/** Engines of its own see the same files, wherever they lie. */
const rootOf = (root: string | undefined, own: boolean): string =>
  root === undefined && own ? parse(process.cwd()).root : resolve(root ?? ".")

/**
 * Runs tasks on the engines of a cluster.
 *
 * ```ts
 * await using executor = new ClusterExecutor({ servers: ["10.0.0.1:4222"], credentials: { token } })
 * console.log(await executor.submit(fib, 30).result())
 * ```
 */
export const ClusterExecutor: ExecutorClassOf<ClusterExecutorOptions> = executorClass<ClusterExecutorOptions>(
  configure,
  "ClusterExecutor"
)
export type ClusterExecutor = Executor
