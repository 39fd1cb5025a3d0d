/** Executors and named clients that want more slots than there are: none waits for another's whole queue. */
import { Cluster } from "@futures/cluster-executor"
import type { ClusterConnectOptions } from "@futures/cluster-executor"
import type { Future } from "@futures/core"
import assert from "node:assert/strict"
import { onTestFinished, test } from "vitest"
import { start } from "./bench.ts"
import { nap } from "./tasks.ts"

const join = async (cluster: Cluster, options: ClusterConnectOptions = {}): Promise<Cluster> => {
  const other = await Cluster.connect({ ...cluster.connection, ...options })
  onTestFinished(() => other.terminate())
  return other
}

const done = (futures: ReadonlyArray<Future<unknown, unknown>>): number => futures.filter((each) => each.done()).length

const many = (cluster: Cluster, count: number, ms: number) => {
  const executor = cluster.executor()
  return Array.from({ length: count }, () => executor.submit(nap, ms))
}

for (const [engines, slots] of [[1, 1], [2, 1], [4, 1], [2, 2]] as const) {
  test(`With ${engines} engines of ${slots} slots a second client is served while the first one has most of its queue left`, async () => {
    const cluster = await start({ engines, slots })
    const first = many(cluster, 40 * engines * slots, 200)
    await first[engines * slots - 1]!.result()
    const second = await join(cluster)
    await second.executor().run(nap, 1)
    assert.ok(done(first) < first.length / 4, `${done(first)} of ${first.length}`)
  })
}

test("Three clients of one slot each get on with their calls", async () => {
  const cluster = await start({ engines: 1, slots: 1 })
  const queues = [cluster, await join(cluster), await join(cluster)].map((each) => many(each, 30, 100))
  await Promise.race(queues.map((queue) => queue.at(-1)!.result()))
  for (const queue of queues) assert.ok(done(queue) >= 5, `${queues.map(done)}`)
})

test("Two clients with many quick calls share the slots about half and half", async () => {
  const cluster = await start({ engines: 4, slots: 1 })
  const queues = [cluster, await join(cluster)].map((each) => many(each, 1_500, 5))
  await Promise.race(queues.map((queue) => queue.at(-1)!.result()))
  for (const queue of queues) assert.ok(done(queue) > 600, `${queues.map(done)}`)
})

test("A client is served while a named client's calls fill the queue, and the other way round", async () => {
  const cluster = await start({ engines: 2, slots: 1 })
  const named = await join(cluster, { client: "nightly" })
  const kept = many(named, 60, 100)
  await kept[1]!.result()
  await cluster.executor().run(nap, 1)
  assert.ok(done(kept) < 30, `${done(kept)} of 60`)
  await Promise.all(kept.map((each) => each.result()))
  const first = many(cluster, 60, 100)
  await first[1]!.result()
  await named.executor().run(nap, 1)
  assert.ok(done(first) < 40, `${done(first)} of 60`)
})

test("A client and a named client, each with many calls, both get on with them", async () => {
  const cluster = await start({ engines: 2, slots: 1 })
  const named = await join(cluster, { client: "nightly" })
  const queues = [many(named, 60, 100), many(cluster, 60, 100)]
  await Promise.race(queues.map((queue) => queue.at(-1)!.result()))
  for (const queue of queues) assert.ok(done(queue) >= 15, `${queues.map(done)}`)
})
