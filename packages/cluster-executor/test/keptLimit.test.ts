/** How many calls of named clients the broker keeps. */
import { Cluster } from "@futures/cluster-executor"
import { QueueFullError } from "@futures/core"
import assert from "node:assert/strict"
import { test } from "vitest"
import { scene, start } from "./bench.ts"
import { echo, hold } from "./tasks.ts"

test("What is more than maxKept fails with QueueFullError, whoever hands it in; nothing that was accepted is lost, and there is room again", async () => {
  const cluster = await start({ engines: 1, slots: 1 })
  const { gate, lines, notebook, open, written } = scene()
  await using first = await Cluster.connect({ ...cluster.connection, client: "first" })
  await using second = await Cluster.connect({ ...cluster.connection, client: "second" })
  const executor = first.executor({ maxKept: 3 })
  const futures = ["a", "b", "c", "d", "e"].map((line) => executor.submit(hold, notebook, line, gate))
  for (const future of futures.slice(3)) {
    const error = await future.exception()
    assert.ok(error instanceof QueueFullError, String(error))
    assert.equal(error.maxPending, 3)
  }
  await written(1)
  // One that is longer than a message is refused as a whole.
  for (const value of ["short", new Uint8Array(10_000_000)]) {
    const error = await second.executor({ maxKept: 1_000 }).submit(echo, value as unknown).exception()
    assert.ok(error instanceof QueueFullError, String(error))
    assert.equal(error.maxPending, 3)
  }
  open()
  assert.deepEqual(await Promise.all(futures.slice(0, 3).map((future) => future.result())), ["a", "b", "c"])
  assert.equal(await second.executor().submit(echo<string>, "room").result(), "room")
  assert.equal(lines().length, 3)
  assert.deepEqual([executor.stats().succeeded, executor.stats().failed], [3, 2])
})
