/** Workers on engines, for the engine of an executor. */
import type { Backend, PoisonedCall } from "@futures/core/Backend"
import { jetstream } from "@nats-io/jetstream"
import { locator } from "../code.ts"
import { longestMessage } from "../wire/pieces.ts"
import { encode, ensureStreams, subjectOf } from "../wire/streams.ts"
import type { DeadLetter } from "../wire/streams.ts"
import type { Client, Wishes } from "./Client.ts"
import { Place } from "./Place.ts"
import { whyNoEngine } from "./whyNoEngine.ts"

/** Calls that killed the engines that they ran on are kept for a week in the broker's stream `CF_<namespace>_DEAD`. */
const keepAside = async (client: Client, call: PoisonedCall): Promise<void> => {
  const { args, id, module, name } = call
  const record: DeadLetter = { client: client.id, id, module, name, args, meta: 1, starts: call.attempts, after: 0 }
  await ensureStreams(client.bus)
  const whole = encode(record)
  const bytes = whole.length <= longestMessage(client.bus) ? whole : encode({ ...record, args: undefined })
  await jetstream(client.bus.nats).publish(subjectOf(client.bus, `dead.${client.id}.${id}`), bytes)
}

export interface ClusterBackendOptions {
  readonly wishes: Wishes
  /** The folder below which task modules lie. */
  readonly root: string
  /** Another folder, for modules that lie outside of that one. */
  readonly otherRoot: string | undefined
  readonly maxWorkers: number
  /** Answers with the connection, which is made when the first worker is asked for. */
  readonly connect: () => Promise<Client>
  /** The executor has ended. */
  readonly close: () => Promise<void>
}

export const clusterBackend = (
  { close, connect, maxWorkers, otherRoot, root, wishes }: ClusterBackendOptions
): Backend => {
  let connected: Client | undefined
  const open = async (): Promise<Client> => connected = await connect()
  return {
    name: "cluster",
    sharesMemory: false,
    defaultMaxWorkers: maxWorkers,
    // They start on machines of their own.
    startsAtATime: Infinity,
    locate: locator(root, otherRoot),
    close,
    poisoned: (call) => {
      // A broker that does not take it has no streams, or is away: the future tells of the call all the same.
      connect().then((client) => keepAside(client, call)).catch(() => {})
    },
    whyNoWorker: () => {
      if (connected === undefined) return "the broker has not been reached yet"
      return whyNoEngine(wishes, connected.registry.engines(), connected.bus.since !== undefined)
    },
    spawn: ({ idleTimeout }, events) => {
      const place = new Place(wishes, idleTimeout, events)
      open().then((client) => client.open(place), (error: unknown) => place.end({ error }))
      return place
    }
  }
}
