/** What waits in a cluster: executors for slots, and calls that the broker keeps. */
import { jetstreamManager } from "@nats-io/jetstream"
import type { Connection } from "../broker/credentials.ts"
import { Bus, parse } from "../wire/Bus.ts"
import type { WantMessage } from "../wire/messages.ts"

export interface Queue {
  /** Slots that executors wait for. Each says so about once a second. */
  readonly wanted: () => number
  /** Calls that the broker keeps and no engine has taken yet. */
  readonly kept: () => Promise<number>
  readonly close: () => Promise<void>
}

/** Who has not asked again for so many milliseconds waits no more. */
const FORGET = 1_500

export const openQueue = async (connection: Connection): Promise<Queue> => {
  const bus = await Bus.connect(connection, "futures-cluster status")
  const manager = await jetstreamManager(bus.nats, { checkAPI: false })
  /** When each slot was last asked for, by its lease. */
  const asked = new Map<string, number>()
  bus.subscribe("want", (_, data) => {
    const { leases = [], over = false } = parse<Partial<WantMessage>>(data) ?? {}
    for (const lease of leases) {
      if (over) asked.delete(lease)
      else asked.set(lease, performance.now())
    }
  })
  return {
    wanted: () => {
      const now = performance.now()
      for (const [lease, at] of asked) if (now - at > FORGET) asked.delete(lease)
      return asked.size
    },
    kept: async () => {
      let waiting = 0
      try {
        const queues = manager.consumers.list(`CF_${connection.namespace}_CALLS`)
        for await (const { num_pending } of queues) waiting += num_pending
      } catch {
        // No client has a name, so that nothing is kept.
      }
      return waiting
    },
    close: () => bus.close()
  }
}
