/** What the published laws run on: one cluster a file, and executors of it. */
import { Cluster, ClusterExecutor } from "@futures/cluster-executor"
import type { ExecutorClass, ExecutorOptions } from "@futures/core"
import type { Gap } from "@futures/testkit"
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

/** What no cluster can promise. */
export const clusterGaps: ReadonlyArray<Gap> = [
  { name: "shared memory", reason: "another machine has a memory of its own" },
  { name: "own timers", reason: "the client of the broker sends by the global timers" },
  {
    name: "cancel() takes back a call that its worker holds and has not started",
    reason: "no memory is shared with the worker: what was sent to it comes back by itself within some milliseconds"
  },
  {
    name: "Calls that are submitted to idle workers start, though the caller blocks its thread next",
    reason: "what is sent to an engine leaves in the event loop of the caller"
  },
  {
    name: "In CommonJS a module is given as module, __filename or a path, and tasks are found under its URL",
    reason: "its modules lie outside of the code root, where engines run nothing"
  },
  {
    name: "Task.from finds what require finds in a CommonJS module, however its exports are made",
    reason: "its modules lie outside of the code root, where engines run nothing"
  },
  {
    name: "A worker gets the environment of the option env over the parent's",
    reason: "workers have the environment of their engine, and the option env over it: the caller's holds secrets"
  }
]
