import { Cluster, ClusterExecutor } from "@futures/cluster-executor"
import type { ExecutorClass, ExecutorOptions } from "@futures/core"
import { broken, faultGrid } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"
import { afterAll, beforeAll } from "vitest"

let cluster: Cluster

// The laws give some of their modules as text.
beforeAll(async () => {
  cluster = await Cluster.start({ engines: 2, slots: 8, textModules: true })
})
afterAll(() => cluster.shutdown())

/** An executor of the one cluster. */
class OnCluster extends ClusterExecutor {
  constructor(options: ExecutorOptions = {}) {
    super({ ...options, cluster })
  }
}

conformance({
  name: "cluster",
  executor: OnCluster as ExecutorClass,
  gaps: [{
    name: "A task module that is missing fails its own calls",
    reason: "it is refused because it is no file below the code root; nobody looks whether it is there"
  }]
}, {
  laws: [broken, faultGrid({ execArgv: ["--max-old-space-size=40"] })]
})
