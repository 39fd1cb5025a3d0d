// Engines on any number of hosts (here: four on this one), and the views that a client has of them.
//
// Python:  $ ipcluster start --n=4
//          client = ipyparallel.Client()
//          view = client.load_balanced_view()
//          jobs = [view.apply_async(who, 1) for _ in range(10)]
//          client[0].apply_sync(where)
//          client[:].execute("words = load_words()")

import { Cluster } from "@futures/cluster-executor"
import { setImmediate } from "node:timers/promises"
import { startCluster } from "./cluster/command.ts"
import { knows, loadWords, where } from "./tasks/machine.ts"
import { who } from "./tasks/who.ts"

const root = import.meta.dirname

console.log("$ futures-cluster start -n 4")
await using _command = await startCluster("-n", "4", "--root", root)
await using cluster = await Cluster.connect({ root })
await cluster.waitForEngines(4)

console.log("load-balanced view: ten jobs, each on whichever engine is free")
await using executor = cluster.executor({ maxWorkers: 4 })
const jobs = Array.from({ length: 10 }, () => executor.submit(who, 1))
for (const [index, job] of jobs.entries()) {
  const { pid } = await job.result()
  console.log(`  job ${index} ran on ${job.info.engine}, process ${pid}`)
}
await executor.shutdown()

console.log("a job that outlives its client")
const first = await Cluster.connect({ root, client: "nightly" })
const nightly = first.executor().submit(who, 1)
const { id } = nightly.info
while (!nightly.running()) await setImmediate()
await first.leave()
console.log("  handed in by one client, which leaves")
await using second = await Cluster.connect({ root, client: "nightly" })
const outcome = await second.future<ReturnType<typeof who>>(id).result()
console.log(`  the next one of its name has the outcome: process ${outcome.pid}`)

console.log("direct view: one engine")
const { pid } = await cluster.direct("engine-2").run(where)
console.log(`  engine-2 answers from process ${pid}`)

console.log("on every engine")
for (const [engine, job] of cluster.broadcast(where)) console.log(`  ${engine} is process ${(await job.result()).pid}`)

console.log("prepared: each worker loads the words before its first call")
await using prepared = cluster.executor({ maxWorkers: 4, initializer: [loadWords, "future", "executor"] })
for (const word of ["future", "past"]) console.log(`  knows ${word}: ${await prepared.run(knows, word)}`)
