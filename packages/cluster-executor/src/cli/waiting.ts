/** Who waits for slots in a cluster. */
import type { Connection } from "../broker/credentials.ts"
import { Bus, parse } from "../wire/Bus.ts"
import type { WantMessage } from "../wire/messages.ts"

export interface Waiting {
  /** Slots that executors wait for. Each says so about once a second. */
  readonly wanted: () => number
  readonly close: () => Promise<void>
}

/** Who has not asked again for so many milliseconds waits no more. */
const FORGET = 1_500

export const openWaiting = async (connection: Connection): Promise<Waiting> => {
  const bus = await Bus.connect(connection, "futures-cluster status")
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
    close: () => bus.close()
  }
}
