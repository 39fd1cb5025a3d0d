import { Cluster, ClusterExecutor } from "@futures/cluster-executor"
import type { ExecutorClass, ExecutorOptions } from "@futures/core"
import { conformance } from "@futures/testkit/vitest"
import { afterAll, beforeAll } from "vitest"

let cluster: Cluster

// The laws give some of their modules as text.
beforeAll(async () => {
  cluster = await Cluster.start({ engines: 2, slots: 8, textModules: true })
})
afterAll(() => cluster.shutdown())

/** An executor of the one cluster: what is no object stays what it is. */
class OnCluster extends ClusterExecutor {
  constructor(options: ExecutorOptions = {}) {
    super(options === null ? options : { ...options, cluster })
  }
}

conformance({
  name: "cluster",
  executor: OnCluster as ExecutorClass,
  gaps: [
    { name: "shared memory", reason: "another machine has a memory of its own" },
    {
      name: "A worker gets the environment of the option env over the parent's",
      reason: "workers have the environment of their engine, and the option env over it: the caller's holds secrets"
    }
  ]
})
