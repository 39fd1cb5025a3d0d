/**
 * What happens to engines and to the connection, on channels of `node:diagnostics_channel`.
 *
 * ```
 * futures:cluster:disconnect ──▶ futures:cluster:reconnect      the broker was away
 * futures:engine:exit                                           an engine that this process started has ended
 * ```
 */
import { channel } from "node:diagnostics_channel"
import type { EngineExit } from "./engine/spawnEngine.ts"

/** `futures:cluster:disconnect`: the connection to the broker is lost, and tried again until it is closed. `futures:cluster:reconnect`: it is back. */
export interface ClusterConnectionEvent {
  /** Each `host:port`. */
  readonly servers: ReadonlyArray<string>
  /** The namespace of the cluster. */
  readonly namespace: string
}

/** `futures:engine:exit`: the process of an engine that `Cluster.start`, `addEngine` or an executor of its own started has ended. */
export interface EngineExitEvent extends EngineExit {
  /** Its name in the cluster. */
  readonly engine: string
  /** The id of its process. */
  readonly pid: number
  /** In this many milliseconds another process takes its place; `undefined` when none does. */
  readonly restartAfter: number | undefined
}

/** What is published on each channel. */
export interface ClusterEvents {
  /** The connection to the broker is lost. */
  readonly "futures:cluster:disconnect": ClusterConnectionEvent
  /** The connection is back. */
  readonly "futures:cluster:reconnect": ClusterConnectionEvent
  /** The process of an engine has ended. */
  readonly "futures:engine:exit": EngineExitEvent
}

const disconnect = channel("futures:cluster:disconnect")
const reconnect = channel("futures:cluster:reconnect")
const engineExit = channel("futures:engine:exit")

export const publishDisconnect = (event: ClusterEvents["futures:cluster:disconnect"]): void => disconnect.publish(event)
export const publishReconnect = (event: ClusterEvents["futures:cluster:reconnect"]): void => reconnect.publish(event)
export const publishEngineExit = (event: ClusterEvents["futures:engine:exit"]): void => engineExit.publish(event)
