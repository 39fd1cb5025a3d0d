/** Ours on a cluster of engines of one slot, as many as the variant says. No worker runs yet. */
import { Broker, ClusterExecutor, spawnEngine } from "@futures/cluster-executor"
import type { Task } from "@futures/core"
import type { Adapter, Work } from "../src/contender.ts"
import { work } from "../tasks/futures.ts"

const tasks = work as unknown as Record<Work, Task.Of<(argument?: unknown) => unknown>>

export const open: Adapter["open"] = async ({ variant }) => {
  const count = Number(variant)
  const broker = await Broker.start({ sync: "interval" })
  const engine = { servers: broker.servers, credentials: broker.engineCredentials, slots: 1, root: "/" }
  const engines = await Promise.all(Array.from({ length: count }, () => spawnEngine(engine)))
  const { credentials, servers } = broker
  const executor = new ClusterExecutor({ servers, credentials, root: "/", maxWorkers: count })
  return {
    distinct: count,
    call: (name, argument) => argument === undefined ? executor.run(tasks[name]) : executor.run(tasks[name], argument),
    close: async () => {
      await executor.shutdown()
      await Promise.all(engines.map((each) => each.kill()))
      await broker.stop()
    }
  }
}
