/** Engines on other hosts: cut off, slowed, and without power. */
import { Broker } from "@futures/cluster-executor"
import type { Cluster } from "@futures/cluster-executor"
import assert from "node:assert/strict"
import { describe, onTestFinished, test } from "vitest"
import { scene, start, until } from "./bench.ts"
import { openHost, whyNoHosts, whyNotSlow } from "./hosts.ts"
import type { Host } from "./hosts.ts"
import { echo, hold, note } from "./tasks.ts"

const main = new URL("../src/engine/main.ts", import.meta.url).pathname

/** A broker that the host reaches, an engine here, and one there with the id `far`. */
const two = async (host: Host): Promise<Cluster> => {
  // Without the cable its address is gone, and what runs here goes on.
  const broker = await Broker.start({ host: "0.0.0.0", sync: "interval" })
  onTestFinished(() => broker.stop())
  const cluster = await start({ engines: 1, slots: 1, broker })
  const far = host.spawn(process.execPath, [main], { stdio: ["pipe", "inherit", "inherit"] })
  far.stdin!.on("error", () => {})
  const servers = broker.servers.map((server) => server.replace("127.0.0.1", host.gateway))
  far.stdin!.write(`${JSON.stringify({ ...cluster.connection, servers, slots: 1, name: "far" })}\n`)
  await cluster.waitForEngines(2)
  return cluster
}

/** Two calls that run, one on each host, until `open`. */
const holding = async (cluster: Cluster) => {
  const { gate, notebook, open, written } = scene()
  const executor = cluster.executor()
  const futures = ["a", "b"].map((line) => executor.submit(hold, notebook, line, gate))
  await written(2)
  return { executor, futures, notebook, open }
}

describe.skipIf(whyNoHosts !== undefined)("On several hosts", () => {
  test("The calls of a host that is cut off run elsewhere; when it is mended it joins again, and nothing settles twice", async () => {
    const host = openHost()
    const cluster = await two(host)
    const { executor, futures, notebook, open } = await holding(cluster)
    const lost = futures.find(({ info }) => info.engine === "far")!
    host.cut()
    await until(() => !cluster.engines().some(({ id }) => id === "far"))
    open()
    assert.deepEqual(await Promise.all(futures.map((future) => future.result())), ["a", "b"])
    assert.notEqual(lost.info.engine, "far")
    host.mend()
    await cluster.waitForEngines(2)
    assert.equal(await cluster.direct("far").run(note, notebook, "again"), "again")
    assert.equal(executor.stats().succeeded, 2)
  })

  test("The calls of a host whose power fails run elsewhere", async () => {
    const host = openHost()
    const cluster = await two(host)
    const { futures, open } = await holding(cluster)
    host.remove()
    open()
    assert.deepEqual(await Promise.all(futures.map((future) => future.result())), ["a", "b"])
    assert.ok(futures.every(({ info }) => info.engine !== "far"))
  })

  test.skipIf(whyNotSlow !== undefined)(
    "On a slow cable a call takes its time, and its engine counts as living",
    async () => {
      const host = openHost()
      const cluster = await two(host)
      await cluster.direct("far").run(echo, 1)
      host.slow(2_000_000)
      const bytes = new Uint8Array(300_000).fill(7)
      assert.equal(Buffer.compare(await cluster.direct("far").run(echo<Uint8Array>, bytes), bytes), 0)
      assert.equal(cluster.engines().length, 2)
    }
  )
})
