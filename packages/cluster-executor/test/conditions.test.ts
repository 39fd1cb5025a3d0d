import { Broker, Cluster, ClusterExecutor } from "@futures/cluster-executor"
import type { ExecutorClass, ExecutorOptions } from "@futures/core"
import { conditionGrid, openLink } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"
import { afterAll, beforeAll } from "vitest"

let broker: Broker
let cluster: Cluster

beforeAll(async () => {
  broker = await Broker.start({ sync: "interval" })
  cluster = await Cluster.start({ engines: 2, slots: 4, broker })
  process.env["FUTURES_TEST_CLUSTER"] = JSON.stringify({ ...cluster.connection, root: cluster.root })
})
afterAll(async () => {
  await cluster.shutdown()
  await broker.stop()
})

/** An executor of the one cluster. */
class OnCluster extends ClusterExecutor {
  constructor(options: ExecutorOptions = {}) {
    super({ ...options, cluster })
  }
}

conformance({ name: "cluster", executor: OnCluster as ExecutorClass }, {
  laws: [conditionGrid({
    origin: { module: new URL("fixtures/connected.ts", import.meta.url).href, name: "ConnectedExecutor" },
    // An engine counts as gone after 3.5 seconds of silence.
    standstill: 4_500,
    deepStandstill: 8_000,
    parties: {
      // One that is silent for longer, while others are heard, counts as gone: its calls run again.
      engine: { pids: () => cluster.engines().map(({ pid }) => pid), standstill: 1_500 },
      broker: { pids: () => [broker.pid!] }
    },
    link: async (conditions) => {
      const { close, address } = await openLink(broker.servers[0]!, conditions)
      const { connection, root } = cluster
      class OverLink extends ClusterExecutor {
        constructor(options: ExecutorOptions = {}) {
          super({ ...options, ...connection, root, servers: [address] })
        }
      }
      return { executor: OverLink as ExecutorClass, close }
    },
    partyLinks: {
      engine: async (conditions) => {
        const link = await openLink(broker.servers[0]!, conditions)
        const labels = { link: link.address }
        const engine = await cluster.addEngine({ servers: [link.address], slots: 4, labels })
        class BehindLink extends ClusterExecutor {
          constructor(options: ExecutorOptions = {}) {
            super({ ...options, cluster, labels })
          }
        }
        const close = async (): Promise<void> => {
          await engine.kill()
          await link.close()
        }
        return { executor: BehindLink as ExecutorClass, close }
      }
    }
  })]
})
