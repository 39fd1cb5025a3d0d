/** Runs an engine in this process. */
import { Engine } from "./Engine.ts"
import { resolveEngineOptions } from "./options.ts"
import type { EngineOptions } from "./options.ts"

export type { EngineOptions } from "./options.ts"

/** An engine that runs. */
export interface EngineHandle {
  /** Its name in the cluster. */
  readonly id: string
  /** Takes nothing more; resolves when what runs is done and the engine has ended. */
  readonly drain: () => Promise<void>
  /** Ends it now: what runs is handed to other engines. */
  readonly kill: () => Promise<void>
  /** Resolves when it has ended. */
  readonly done: Promise<void>
}

/**
 * Joins a cluster with the slots of this machine, until it is drained. It keeps the process alive. Rejects with `InvalidOptionError`, or with `BrokerError` when the
 * broker cannot be reached.
 *
 * ```ts
 * const engine = await runEngine({ servers: ["10.0.0.1:4222"], credentials: { token }, root: "/srv/app" })
 * process.once("SIGTERM", engine.drain)
 * await engine.done
 * ```
 */
export const runEngine = async (options: EngineOptions): Promise<EngineHandle> => {
  const engine = await Engine.start(resolveEngineOptions(options))
  return { id: engine.id, drain: () => engine.drain(), kill: () => engine.end(), done: engine.done }
}
