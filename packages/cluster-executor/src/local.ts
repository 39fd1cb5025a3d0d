/**
 * A broker and engines on this machine, which end with this process.
 *
 * ```
 * running ──▶ ended              it was drained, or ended through its handle
 *    │ ▲
 *    ▼ │ after a pause
 *  crashed                       it was killed, or exited with a code that is not 0
 * ```
 */
import { timers } from "@futures/core/Backend"
import { availableParallelism } from "node:os"
import { Broker } from "./broker/Broker.ts"
import { DEFAULT_NAMESPACE } from "./broker/credentials.ts"
import type { Connection } from "./broker/credentials.ts"
import type { BrokerOptions } from "./broker/options.ts"
import { Client } from "./client/Client.ts"
import type { EngineOptions } from "./engine/options.ts"
import { describeExit, spawnEngine } from "./engine/spawnEngine.ts"
import type { EngineExit, SpawnedEngine } from "./engine/spawnEngine.ts"
import { publishEngineExit } from "./events.ts"

const { clearTimeout, performance, setTimeout } = timers

/** Pause before an engine that crashed is started again, in milliseconds: it doubles with each crash in a row, up to the most. */
const RESTART_AFTER_MS = 100
const RESTART_AFTER_MOST_MS = 30_000
/** An engine that ran for this long, in milliseconds, ends the row. */
const STEADY_MS = 10_000
/** A warning is emitted once after this many crashes in a row. */
const WARN_AFTER = 3

/** The pause before the next start, after this many crashes in a row: 100 ms, 200 ms, ... 30 seconds. */
export const restartDelay = (crashes: number): number =>
  Math.min(RESTART_AFTER_MS * 2 ** (crashes - 1), RESTART_AFTER_MOST_MS)

export interface LocalOptions extends Pick<EngineOptions, "slots" | "labels" | "root" | "textModules"> {
  /** How many to start. Default 2. */
  readonly engines?: number | undefined
  /** Whether an engine that crashes is started again, after a pause that grows from 100 ms to 30 s while it crashes again and again. Default `true`. */
  readonly restart?: boolean | undefined
  /** The broker that is started, or one that runs. */
  readonly broker?: BrokerOptions | Broker | undefined
}

/** What was started. */
export interface Local {
  readonly client: Client
  readonly broker: Broker
  readonly connection: Connection
  /** Starts another engine. */
  readonly add: (options?: Partial<EngineOptions>) => Promise<SpawnedEngine>
  readonly close: () => Promise<void>
}

/** Rejects with `BrokerError` or `InvalidOptionError`; then nothing is left. */
export const startLocal = async (options: LocalOptions, name: string): Promise<Local> => {
  const { broker: given, engines = 2, labels, restart = true, root, textModules } = options
  const { slots = Math.ceil(availableParallelism() / engines) } = options
  const broker = given instanceof Broker ? given : await Broker.start(given ?? { sync: "interval" })
  const namespace = (given instanceof Broker ? undefined : given?.namespace) ?? DEFAULT_NAMESPACE
  const connection: Connection = { servers: broker.servers, credentials: broker.credentials, namespace }
  const spawned = new Set<SpawnedEngine>()
  const starting = new Set<Promise<SpawnedEngine>>()
  const restarts = new Set<NodeJS.Timeout>()
  let client: Client | undefined
  let closing = false

  const begin = async (more: Partial<EngineOptions>, crashes = 0): Promise<SpawnedEngine> => {
    const { credentials, servers } = { servers: broker.servers, credentials: broker.engineCredentials }
    const settings = { servers, credentials, namespace, slots, labels, root, textModules, ...more }
    const starts = spawnEngine(settings).then((started) => {
      spawned.add(started)
      return started
    }).finally(() => starting.delete(starts))
    starting.add(starts)
    const engine = await starts
    const since = performance.now()
    let wanted = true
    void engine.done.then((exit) => {
      spawned.delete(engine)
      // Published by the process that saw it exit, so other clients need not detect it.
      client?.bus.publish(`bye.${engine.id}`)
      const isCrash = wanted && !closing && exit.exitCode !== 0
      const row = performance.now() - since >= STEADY_MS ? 1 : crashes + 1
      const restartAfter = isCrash && restart ? restartDelay(row) : undefined
      if (closing) return
      publishEngineExit({ engine: engine.id, pid: engine.pid, ...exit, restartAfter })
      client?.registry.exited(engine.id, exit)
      if (restartAfter !== undefined) again(engine.id, more, row, exit)
    })
    return {
      ...engine,
      drain: () => {
        wanted = false
        return engine.drain()
      },
      kill: () => {
        wanted = false
        return engine.kill()
      }
    }
  }

  /** Starts an engine of that name again, after a pause. */
  const again = (engine: string, more: Partial<EngineOptions>, crashes: number, why: EngineExit | Error): void => {
    const delay = restartDelay(crashes)
    if (crashes === WARN_AFTER) {
      const reason = why instanceof Error ? why.message : describeExit(why)
      process.emitWarning(
        `Engine ${engine} crashed ${crashes} times in a row (${reason}); it is started again after longer and longer pauses`,
        "FuturesWarning"
      )
    }
    const timer = setTimeout(() => {
      restarts.delete(timer)
      begin({ ...more, name: engine }, crashes).catch((error: unknown) => {
        if (!closing) again(engine, more, crashes + 1, error instanceof Error ? error : new Error(String(error)))
      })
    }, delay)
    // A pending call keeps the process alive; this timer need not.
    timer.unref()
    restarts.add(timer)
  }

  const add = (more: Partial<EngineOptions> = {}): Promise<SpawnedEngine> => begin(more)
  const close = async (): Promise<void> => {
    closing = true
    for (const timer of restarts) clearTimeout(timer)
    await client?.close()
    client = undefined
    while (spawned.size + starting.size > 0) {
      await Promise.all(Array.from(spawned, (engine) => engine.kill()))
      await Promise.allSettled(starting)
    }
    if (broker !== given) await broker.stop()
  }
  try {
    client = await Client.connect(connection, name)
    await Promise.all(Array.from({ length: engines }, () => add()))
    return { client, broker, connection, add, close }
  } catch (error) {
    await close()
    throw error
  }
}
