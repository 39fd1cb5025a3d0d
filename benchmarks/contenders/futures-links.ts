/**
 * Ours on a cluster of 2 engines of 2 slots, each connection through a proxy that delays what crosses it. The variant is the round trip between caller
 * and engine (ms).
 */
import { Broker, ClusterExecutor, spawnEngine } from "@futures/cluster-executor"
import type { Task } from "@futures/core"
import { openLink } from "@futures/testkit"
import type { Adapter, Work } from "../src/contender.ts"
import { work } from "../tasks/futures.ts"

const tasks = work as unknown as Record<Work, Task.Of<(argument?: unknown) => unknown>>
const ENGINES = 2
const SLOTS = 2

export const open: Adapter["open"] = async ({ variant }) => {
  const roundTripMs = Number(variant)
  const broker = await Broker.start({ sync: "interval" })
  const target = broker.servers[0]!.replace(/^.*\/\//, "")
  // Half of a round trip lies between caller and broker, half between broker and engine.
  const links = await Promise.all([1, 2].map(() => openLink(target, { delayMs: roundTripMs / 4 })))
  const [forCaller, forEngines] = links.map(({ address }) => roundTripMs === 0 ? broker.servers : [address])
  const engine = {
    servers: forEngines!,
    credentials: broker.engineCredentials,
    slots: SLOTS,
    root: "/"
  }
  const engines = await Promise.all(Array.from({ length: ENGINES }, () => spawnEngine(engine)))
  const workers = ENGINES * SLOTS
  const executor = new ClusterExecutor({
    servers: forCaller!,
    credentials: broker.credentials,
    root: "/",
    maxWorkers: workers,
    minWorkers: workers
  })
  await executor.ready()
  return {
    distinct: workers,
    call: (name, argument) => argument === undefined ? executor.run(tasks[name]) : executor.run(tasks[name], argument),
    close: async () => {
      await executor.shutdown()
      await Promise.all(engines.map((each) => each.kill()))
      await Promise.all(links.map((each) => each.close()))
      await broker.stop()
    }
  }
}
