/** A broker and engines on this machine, which end with this process. */
import { availableParallelism } from "node:os"
import { Broker } from "./broker/Broker.ts"
import { DEFAULT_NAMESPACE } from "./broker/credentials.ts"
import type { Connection } from "./broker/credentials.ts"
import type { BrokerOptions } from "./broker/options.ts"
import { Client } from "./client/Client.ts"
import type { EngineOptions } from "./engine/options.ts"
import { spawnEngine } from "./engine/spawnEngine.ts"
import type { SpawnedEngine } from "./engine/spawnEngine.ts"

export interface LocalOptions extends Pick<EngineOptions, "slots" | "labels" | "root" | "textModules"> {
  /** How many to start. Default 2. */
  readonly engines?: number | undefined
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
  const { broker: given, engines = 2, labels, root, textModules } = options
  const { slots = Math.ceil(availableParallelism() / engines) } = options
  const broker = given instanceof Broker ? given : await Broker.start(given ?? { sync: "interval" })
  const namespace = (given instanceof Broker ? undefined : given?.namespace) ?? DEFAULT_NAMESPACE
  const connection: Connection = { servers: broker.servers, credentials: broker.credentials, namespace }
  const spawned: Array<SpawnedEngine> = []
  let client: Client | undefined
  const add = async (more: Partial<EngineOptions> = {}): Promise<SpawnedEngine> => {
    const { credentials, servers } = { servers: broker.servers, credentials: broker.engineCredentials }
    const engine = await spawnEngine({ servers, credentials, namespace, slots, labels, root, textModules, ...more })
    spawned.push(engine)
    // Whoever saw it end says so: nobody has to find out.
    void engine.done.then(() => client?.bus.publish(`bye.${engine.id}`))
    return engine
  }
  const close = async (): Promise<void> => {
    await client?.close()
    client = undefined
    await Promise.all(spawned.map((engine) => engine.kill()))
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
