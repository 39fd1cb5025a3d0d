/** What becomes of calls when the broker ends and comes back. */
import { Broker } from "@futures/cluster-executor"
import assert from "node:assert/strict"
import { onTestFinished, test } from "vitest"
import { scene, start, until } from "./bench.ts"
import { double, echo, hold } from "./tasks.ts"

const started = async (): Promise<Broker> => {
  const broker = await Broker.start({ sync: "interval" })
  onTestFinished(() => broker.stop())
  return broker
}

test("A broker that is killed and restarted loses nothing: what runs answers, what waits runs, once each", async () => {
  const broker = await started()
  const cluster = await start({ engines: 2, slots: 1, broker })
  const { gate, lines, notebook, open, written } = scene()
  const executor = cluster.executor()
  const futures = Array.from({ length: 20 }, (_, n) => executor.submit(hold, notebook, `${n}`, gate))
  await written(2)
  await broker.kill()
  open()
  // Both have ended while nobody could be told.
  await until(() => futures.filter((future) => future.running()).length === 2)
  await broker.restart()
  assert.deepEqual(
    await Promise.all(futures.map((future) => future.result())),
    Array.from({ length: 20 }, (_, n) => `${n}`)
  )
  assert.equal(lines().length, 20)
  assert.equal(cluster.engines().length, 2)
})

test("However often the broker is restarted, every call has its own result, once", async () => {
  const broker = await started()
  const cluster = await start({ engines: 2, slots: 2, broker })
  const executor = cluster.executor()
  const restarts = (async () => {
    for (let count = 1; count <= 5; count++) {
      await until(() => executor.stats().succeeded > 600 * count)
      await broker.kill()
      await broker.restart()
    }
  })()
  const results: Array<number> = []
  for await (
    const result of executor.map(double, Array.from({ length: 4_000 }, (_, n) => n), { chunkSize: 1, bufferSize: 300 })
  ) {
    results.push(result)
  }
  await restarts
  assert.deepEqual(results, Array.from({ length: 4_000 }, (_, n) => 2 * n))
  assert.deepEqual([executor.stats().succeeded, executor.stats().failed], [4_000, 0])
})

test("What is longer than the broker takes travels in pieces, also while it restarts", async () => {
  const broker = await Broker.start({ maxPayload: 64 * 1024 })
  onTestFinished(() => broker.stop())
  const cluster = await start({ engines: 1, slots: 1, broker })
  const executor = cluster.executor()
  const bytes = new Uint8Array(24 * 2 ** 20).map((_, at) => at * 31)
  await executor.run(echo, 1)
  const future = executor.submit(echo<Uint8Array>, bytes)
  await broker.kill()
  await broker.restart()
  assert.deepEqual(Buffer.compare(await future.result(), bytes), 0)
})
