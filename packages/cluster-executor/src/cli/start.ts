/**
 * `futures-cluster start`: a broker and engines on this host, held together by this process.
 *
 * ```
 * starting ──▶ running ──▶ draining (SIGTERM, SIGINT) ──▶ ended
 *                 │            └── once more: ended at once
 *                 └── the broker or an engine ends by itself: started again
 * ```
 */
import { existsSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { setTimeout } from "node:timers/promises"
import { Broker } from "../broker/Broker.ts"
import { connectionPath, readConnection, removeConnection, writeConnection } from "../broker/connectionFile.ts"
import type { Connection } from "../broker/credentials.ts"
import type { BrokerOptions } from "../broker/options.ts"
import { describeExit, spawnEngine } from "../engine/spawnEngine.ts"
import type { SpawnedEngine } from "../engine/spawnEngine.ts"
import { askedToEnd } from "./ending.ts"
import { lives, thisLauncher } from "./launcher.ts"
import { CommandError, outputOf } from "./output.ts"

export interface StartInput {
  readonly engines: number
  readonly slots: number
  readonly labels: Readonly<Record<string, string>>
  readonly root: string | undefined
  readonly allowSource: boolean
  readonly connection: string | undefined
  readonly broker: BrokerOptions & { readonly namespace: string }
  readonly json: boolean
}

/** One that ends sooner than this after its start may well do so again, in milliseconds. */
const TOO_SOON = 1_000
/** So many in a row that ended too soon, or could not be started, and no more are tried. */
const TRIES = 3

export const start = async (input: StartInput): Promise<void> => {
  const path = input.connection ?? connectionPath()
  refuseSecond(path)
  const asked = askedToEnd()
  const output = outputOf(input.json)
  const { namespace } = input.broker
  await using broker = await Broker.start(input.broker)
  const connection: Connection = { servers: broker.servers, credentials: broker.credentials, namespace }
  const forEngines: Connection = { ...connection, credentials: broker.engineCredentials }

  let ending = false
  /** Engines that drain still need the broker, which a signal to every process of a service ends, too. */
  let needsBroker = true
  /** What goes wrong once everything had started. */
  const { promise: failed, reject } = Promise.withResolvers<never>()
  const failing = (later: Promise<void>): void => void later.catch(reject)
  const engines = new Set<SpawnedEngine>()
  const oneMore = async (name: string, tooSoon = 0): Promise<void> => {
    const engine = await spawnEngine({
      ...forEngines,
      name,
      slots: input.slots,
      labels: input.labels,
      root: input.root,
      textModules: input.allowSource
    })
    engines.add(engine)
    output.tell("engine-started", `engine ${engine.id} runs as process ${engine.pid}`, {
      id: engine.id,
      pid: engine.pid
    })
    const since = performance.now()
    failing(engine.done.then(async (exit) => {
      engines.delete(engine)
      if (ending) return
      output.tell("engine-ended", `engine ${engine.id} ended (${describeExit(exit)}); another takes its place`, {
        id: engine.id,
        ...exit
      })
      await another(name, performance.now() - since < TOO_SOON ? tooSoon + 1 : 0)
    }))
  }
  const another = async (name: string, tooSoon: number): Promise<void> => {
    if (tooSoon === TRIES) {
      throw new CommandError(`Engine ${name} ends as soon as it is started, ${TRIES} times in a row`)
    }
    // The first at once; the others when what stands in the way, a broker that is itself started again, may have passed.
    await setTimeout(tooSoon * TOO_SOON / 2)
    if (ending) return
    await oneMore(name, tooSoon).catch((error: unknown) => {
      if (tooSoon + 1 === TRIES) throw error
      return another(name, tooSoon + 1)
    })
  }
  const keepBroker = async (): Promise<void> => {
    for (let tooSoon = 0;;) {
      const since = performance.now()
      await broker.ended()
      if (!needsBroker) return
      tooSoon = performance.now() - since < TOO_SOON ? tooSoon + 1 : 0
      if (tooSoon === TRIES) {
        throw new CommandError(`The broker ends as soon as it is started, ${TRIES} times in a row`)
      }
      await broker.restart()
      if (!needsBroker) return
      output.tell("broker-restarted", `the broker had ended; it runs again on ${broker.servers[0]}`)
    }
  }

  failing(keepBroker())
  const names = Array.from({ length: input.engines }, (_, index) => `engine-${index}`)
  const launcher = thisLauncher()
  // Where roles are told apart, other hosts are to get the engine's credentials and no more.
  const enginePath = broker.engineCredentials === broker.credentials ? undefined : join(dirname(path), "engine.json")
  try {
    const started = Promise.all(names.map(oneMore)).then(() => true)
    if (await Promise.race([failed, started, asked]) !== true) return
    writeConnection({ ...connection, launcher, root: resolve(input.root ?? ".") }, path)
    if (enginePath !== undefined) writeConnection({ ...forEngines, launcher }, enginePath)
    const data = {
      ...connection,
      credentials: undefined,
      connection: path,
      engineConnection: enginePath,
      engines: input.engines,
      pid: process.pid
    }
    output.tell(
      "started",
      `cluster ${namespace}: broker on ${broker.servers.join(", ")}, ${input.engines} engines of ${input.slots} slots
described in ${path}${enginePath !== undefined ? `, and for engines on other hosts in ${enginePath}` : ""}`,
      data
    )
    process.send?.("started")
    const signal = await Promise.race([failed, asked])
    output.tell("draining", `${signal}: calls that run are finished; once more ends at once`, { signal })
    ending = true
    await Promise.all(Array.from(engines, (engine) => engine.drain()))
  } finally {
    ending = true
    needsBroker = false
    for (const engine of engines) engine.kill()
    for (const file of [path, enginePath]) if (file !== undefined) removeConnection(launcher, file)
  }
  output.tell("ended", "ended", {})
}

/** The file of a cluster that lives is not to be written over. */
const refuseSecond = (path: string): void => {
  const launcher = existsSync(path) ? readConnection(path)?.launcher : undefined
  if (launcher !== undefined && launcher.pid !== process.pid && lives(launcher)) {
    throw new CommandError(
      `A cluster runs already (process ${launcher.pid}), described in ${path}. End it with "futures-cluster stop", or name another file with --connection`
    )
  }
}
