/** The contract over a link with a round trip of 20 ms. Takes minutes: `pnpm run test:far`. */
import { Broker, Cluster, ClusterExecutor } from "@futures/cluster-executor"
import type { ExecutorClass, ExecutorOptions } from "@futures/core"
import { openLink } from "@futures/testkit"
import type { Gap, LinkProxy } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"
import { afterAll, beforeAll, describe } from "vitest"
import { clusterGaps } from "./onCluster.ts"

/** One way (ms). */
const DELAY_MS = 10

const gaps: ReadonlyArray<Gap> = [
  ...clusterGaps,
  {
    name: "The timeout of map ends the loop with TaskTimeoutError, and cancels the rest",
    reason: "items that were sent ahead may start until the worker hears of the end"
  },
  {
    name: "A changed Object.prototype gives no options",
    reason: "each executor opens a connection of its own, and Node's net.connect reads options through the prototype"
  },
  {
    name: "Calls nested more than a thousand deep end with NestingTooDeepError, and no other call is harmed",
    reason: "each level takes a round trip, which is more time than a law has"
  }
]

let broker: Broker
let cluster: Cluster
let link: LinkProxy

class FarExecutor extends ClusterExecutor {
  constructor(options: ExecutorOptions = {}) {
    const { connection, root } = cluster
    super(options === null ? options : { ...options, ...connection, root, servers: [link.address] })
  }
}

describe.skipIf(process.env["FUTURES_FAR"] === undefined)("20 ms away (FUTURES_FAR=1: takes minutes)", () => {
  beforeAll(async () => {
    broker = await Broker.start({ sync: "interval" })
    cluster = await Cluster.start({ engines: 2, slots: 8, textModules: true, broker })
    link = await openLink(broker.servers[0]!, { delayMs: DELAY_MS })
  })
  afterAll(async () => {
    await link.close()
    await cluster.shutdown()
    await broker.stop()
  })
  conformance({ name: "far cluster", executor: FarExecutor as ExecutorClass, gaps })
})
