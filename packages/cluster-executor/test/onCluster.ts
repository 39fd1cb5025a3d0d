/** What the published laws run on: one cluster a file, and executors of it. */
import { Cluster, ClusterExecutor } from "@futures/cluster-executor"
import type { ExecutorClass, ExecutorOptions } from "@futures/core"
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

export const onCluster = OnCluster as ExecutorClass
