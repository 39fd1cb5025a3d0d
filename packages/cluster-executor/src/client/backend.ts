/** Workers on engines, for the engine of an executor. */
import type { Backend } from "@futures/core/Backend"
import { locator } from "../code.ts"
import type { Client, Wishes } from "./Client.ts"
import { Place } from "./Place.ts"

export interface ClusterBackendOptions {
  readonly wishes: Wishes
  /** The folder below which task modules lie. */
  readonly root: string
  readonly maxWorkers: number
  /** Answers with the connection, which is made when the first worker is asked for. */
  readonly connect: () => Promise<Client>
  /** The executor has ended. */
  readonly close: () => Promise<void>
}

export const clusterBackend = ({ close, connect, maxWorkers, root, wishes }: ClusterBackendOptions): Backend => ({
  name: "cluster",
  sharesMemory: false,
  defaultMaxWorkers: maxWorkers,
  locate: locator(root),
  close,
  spawn: (_, events) => {
    const place = new Place(wishes, events)
    connect().then((client) => client.open(place), (error: unknown) => place.end({ error }))
    return place
  }
})
