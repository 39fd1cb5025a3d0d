/** Calls of named clients: written down by the broker, run by engines, there for whoever asks later. */
import { Broker, Cluster } from "@futures/cluster-executor"
import { CancelledError, InvalidOptionError, InvalidStateError, PoisonTaskError, WorkerLostError } from "@futures/core"
import assert from "node:assert/strict"
import { onTestFinished, test } from "vitest"
import { scene, start, until } from "./bench.ts"
import { add, bytes, double, echo, fail, fatal, hold, letters, note } from "./tasks.ts"

test("A job outlives its client: another of the same name has its outcome", async () => {
  const cluster = await start({ engines: 2, slots: 1 })
  const { gate, lines, notebook, open, written } = scene()
  const first = await Cluster.connect({ ...cluster.connection, client: "nightly" })
  const job = first.executor({ retention: "1 minute" }).submit(hold, notebook, "job", gate)
  const { id } = job.info
  await written(1)
  await first.leave()
  assert.ok(await job.exception() instanceof WorkerLostError)
  open()
  await using second = await Cluster.connect({ ...cluster.connection, client: "nightly" })
  assert.equal(await second.future<string>(id).result(), "job")
  assert.equal(await second.future<string>(id).result(), "job")
  assert.deepEqual(lines().length, 1)
  const again = await second.resubmit<string>(id)
  assert.equal(await again.result(), "job")
  assert.deepEqual(lines().length, 2)
})

test("Values, errors and maps are those of any executor", async () => {
  const cluster = await start({ engines: 2, slots: 1, client: "plain" })
  const executor = cluster.executor()
  assert.equal(await executor.run(add, 1, 2), 3)
  const error = await executor.submit(fail, "no").exception()
  assert.ok(error instanceof RangeError)
  assert.equal(error.message, "no")
  const results: Array<number> = []
  for await (const result of executor.map(double, Array.from({ length: 50 }, (_, n) => n))) results.push(result)
  assert.deepEqual(results, Array.from({ length: 50 }, (_, n) => 2 * n))
  await assert.rejects(executor.stream(letters, "").next(), InvalidStateError)
  assert.throws(() => cluster.executor({ initializer: [add, 1, 2] }), InvalidOptionError)
  for (const retention of [-1, 999, NaN, "a while"]) {
    assert.throws(
      () => cluster.executor({ retention: retention as number }),
      { _tag: "InvalidOptionError", option: "retention" }
    )
  }
  await assert.rejects(cluster.resubmit(7), InvalidStateError)
})

test("What is longer than a message of the broker fails, and says so; what fits goes through", async () => {
  const cluster = await start({ engines: 1, slots: 1, client: "long", broker: { maxPayload: 2 ** 16 } })
  const executor = cluster.executor()
  for (const call of [executor.submit(echo, new Uint8Array(2 ** 16)), executor.submit(bytes, 2 ** 16)]) {
    const error = await call.exception()
    assert.ok(error instanceof RangeError, String(error))
    assert.match((error as RangeError).message, /of 65\d{3} bytes .* longer than the broker keeps \(65024\)/)
  }
  const long = executor.submit(bytes, 60_000)
  assert.equal((await long.result()).length, 60_000)
  assert.equal((await (await cluster.resubmit<Uint8Array>(long.info.id)).result()).length, 60_000)
  // Arguments and result fit, but not beside each other.
  const both = executor.submit(echo, new Uint8Array(60_000))
  assert.deepEqual(await both.result(), new Uint8Array(60_000))
  await assert.rejects(cluster.resubmit(both.info.id), InvalidStateError)
})

test("A call whose engine is killed runs again on another; with at-most-once it fails", async () => {
  const cluster = await start({ engines: 2, slots: 1, client: "killed" })
  const { gate, lines, notebook, open, written } = scene()
  const often = cluster.executor().submit(hold, notebook, "often", gate)
  const once = cluster.executor({ delivery: "at-most-once" }).submit(hold, notebook, "once", gate)
  await written(2)
  const [third] = await Promise.all([cluster.addEngine(), cluster.addEngine()])
  assert.ok(third.pid > 0)
  for (const line of lines()) process.kill(Number(line.split(" ")[1]), "SIGKILL")
  const lost = await once.exception()
  assert.ok(lost instanceof WorkerLostError, String(lost))
  open()
  assert.equal(await often.result(), "often")
  assert.deepEqual(lines().map((line) => line.split(" ")[0]).toSorted(), ["often", "often", "once"])
})

test("A call that kills every engine it meets ends as PoisonTaskError", async () => {
  const cluster = await start({ engines: 4, slots: 1, client: "poison" })
  const { lines, notebook } = scene()
  const error = await cluster.executor().submit(fatal, notebook).exception()
  assert.ok(error instanceof PoisonTaskError, String(error))
  assert.equal(error.attempts, 3)
  assert.equal(new Set(lines()).size, 3)
})

test("interrupt() stops a call that runs, and takes out one that waits", async () => {
  const cluster = await start({ engines: 1, slots: 1, client: "stopped" })
  const { gate, lines, notebook, written } = scene()
  const executor = cluster.executor()
  const running = executor.submit(hold, notebook, "running", gate)
  await written(1)
  const waiting = executor.submit(note, notebook, "waiting")
  assert.equal(await waiting.interrupt(), true)
  assert.equal(await running.interrupt({ grace: 50 }), true)
  for (const future of [running, waiting]) {
    assert.ok(await future.exception().catch((error) => error) instanceof CancelledError)
  }
  assert.equal(await executor.run(note, notebook, "next"), "next")
  assert.deepEqual(lines().map((line) => line.split(" ")[0]), ["running", "next"])
})

test("A broker that is killed and restarted keeps the calls", async () => {
  const broker = await Broker.start({ sync: "interval" })
  onTestFinished(() => broker.stop())
  const cluster = await start({ engines: 2, slots: 1, broker, client: "restarted" })
  const { gate, notebook, open, written } = scene()
  const executor = cluster.executor()
  const futures = Array.from({ length: 10 }, (_, n) => executor.submit(hold, notebook, `${n}`, gate))
  await written(2)
  await broker.kill()
  open()
  await broker.restart()
  assert.deepEqual(
    await Promise.all(futures.map((future) => future.result())),
    Array.from({ length: 10 }, (_, n) => `${n}`)
  )
})

test("Calls that the broker has lost fail, and none waits for ever", async () => {
  const broker = await Broker.start({ sync: "interval" })
  onTestFinished(() => broker.stop())
  const cluster = await start({ engines: 1, slots: 1, broker, client: "lost" })
  const { gate, notebook, written } = scene()
  const executor = cluster.executor()
  executor.submit(hold, notebook, "held", gate).onDone(() => {})
  await written(1)
  const waiting = executor.submit(note, notebook, "waiting")
  await until(() => waiting.running())
  const { jetstreamManager } = await import("@nats-io/jetstream")
  const manager = await jetstreamManager(cluster.client.bus.nats)
  await until(() => executor.stats().running === 2)
  for (;;) if ((await manager.streams.info("CF_default_CALLS")).state.messages === 2) break
  await manager.streams.delete("CF_default_CALLS")
  await broker.restart()
  assert.ok(await waiting.exception() instanceof WorkerLostError)
})

test("leave() waits until the broker has every call, and idle slots of others are had for them", async () => {
  const cluster = await start({ engines: 1, slots: 1 })
  const { lines, notebook } = scene()
  for (const future of cluster.broadcast(note, notebook, "first").values()) await future.result()
  const first = await Cluster.connect({ ...cluster.connection, client: "leaver" })
  const executor = first.executor()
  const ids = Array.from({ length: 300 }, (_, n) => {
    const future = executor.submit(note, notebook, `${n}`)
    future.onDone(() => {})
    return future.info.id
  })
  await first.leave()
  await using second = await Cluster.connect({ ...cluster.connection, client: "leaver" })
  const results = await Promise.all(ids.map((id) => second.future<string>(id).result()))
  assert.deepEqual(results, Array.from({ length: 300 }, (_, n) => `${n}`))
  assert.equal(lines().length, 301)
})

test("Executors of one client have no two calls of the same id", async () => {
  const cluster = await start({ engines: 1, slots: 1, client: "twins" })
  const executors = Array.from({ length: 4 }, () => cluster.executor())
  const futures = [1, 2, 3].flatMap((n) => executors.map((executor) => executor.submit(add, n, 0)))
  assert.equal(new Set(futures.map(({ info }) => info.id)).size, 12)
  assert.deepEqual(await Promise.all(futures.map((future) => future.result())), [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3])
})
