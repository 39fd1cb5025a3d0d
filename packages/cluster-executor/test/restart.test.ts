/** Engines that crash and come back, and a broker that is away for a while. */
import { fc, test as property } from "@fast-check/vitest"
import { Broker, Cluster, ClusterExecutor } from "@futures/cluster-executor"
import type { ClusterEvents, EngineChange } from "@futures/cluster-executor"
import { PoisonTaskError } from "@futures/core"
import assert from "node:assert/strict"
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { onTestFinished, test } from "vitest"
import { childrenOf, stillLives } from "../../process-executor/test/processes.ts"
import { restartDelay } from "../src/local.ts"
import { folder, scene, start, until } from "./bench.ts"
import { add, fatal, hold, where } from "./tasks.ts"

/** What is published on a channel from now on. */
const hear = <Name extends keyof ClusterEvents>(name: Name): Array<ClusterEvents[Name]> => {
  const events: Array<ClusterEvents[Name]> = []
  const listener = (event: unknown): void => void events.push(event as ClusterEvents[Name])
  subscribe(name, listener)
  onTestFinished(() => void unsubscribe(name, listener))
  return events
}

const follow = (cluster: Cluster): Array<EngineChange> => {
  const changes: Array<EngineChange> = []
  void (async () => {
    for await (const change of cluster.changes()) changes.push(change)
  })()
  return changes
}

test("When all engines were killed they come back under their names, and calls run on them", async () => {
  const exits = hear("futures:engine:exit")
  const cluster = await start({ engines: 2, slots: 1, restart: true })
  const changes = follow(cluster)
  const before = cluster.engines()
  for (const { pid } of before) process.kill(pid, "SIGKILL")
  assert.equal(await cluster.executor().run(add, 1, 2), 3)
  await until(() => cluster.engines().length === 2)
  assert.deepEqual(cluster.engines().map(({ id }) => id).toSorted(), before.map(({ id }) => id).toSorted())
  assert.ok(cluster.engines().every(({ pid }) => !before.some((other) => other.pid === pid)))
  assert.deepEqual(exits.map(({ exitCode, restartAfter, signal }) => ({ exitCode, restartAfter, signal })), [
    { exitCode: null, signal: "SIGKILL", restartAfter: 100 },
    { exitCode: null, signal: "SIGKILL", restartAfter: 100 }
  ])
  const leaves = changes.filter((change) => change.type === "leave")
  assert.deepEqual(leaves.map(({ exit, reason }) => ({ exit, reason })), [
    { reason: "exit", exit: { exitCode: null, signal: "SIGKILL" } },
    { reason: "exit", exit: { exitCode: null, signal: "SIGKILL" } }
  ])
})

test("An engine that was drained, or ended through its handle, does not come back", async () => {
  const exits = hear("futures:engine:exit")
  const cluster = await start({ engines: 1, slots: 1, restart: true })
  const [drained, killed] = [await cluster.addEngine(), await cluster.addEngine()]
  await drained.drain()
  await killed.kill()
  process.kill(cluster.engines()[0]!.pid, "SIGTERM")
  await until(() => exits.length === 3 && cluster.engines().length === 0)
  assert.deepEqual(exits.map(({ restartAfter }) => restartAfter), [undefined, undefined, undefined])
})

test("Engines that crash again and again are started after longer and longer pauses, and go on once that is over", async () => {
  const exits = hear("futures:engine:exit")
  const cluster = await start({ engines: 1, slots: 1, restart: true })
  const executor = cluster.executor()
  const error = await executor.submit(fatal, scene().notebook).exception()
  assert.ok(error instanceof PoisonTaskError, String(error))
  assert.equal(await executor.run(add, 1, 2), 3)
  assert.deepEqual(exits.map(({ restartAfter }) => restartAfter), [100, 200, 400])
})

property.prop([fc.integer({ min: 1, max: 1_000 })])(
  "The pause never gets shorter, nor longer than 30 seconds",
  (crashes) => {
    assert.ok(restartDelay(crashes) <= restartDelay(crashes + 1))
    assert.ok(restartDelay(crashes) >= 100 && restartDelay(crashes) <= 30_000)
  }
)

test("A cluster that is closed while an engine is to come back, or just does, leaves no process behind", async () => {
  for (const waitFor of ["pause", "start"] as const) {
    const exits = hear("futures:engine:exit")
    const cluster = await start({ engines: 2, slots: 1, restart: true })
    const known = childrenOf(process.pid)
    process.kill(cluster.engines()[0]!.pid, "SIGKILL")
    await until(() => exits.length === 1)
    const isNew = (): boolean => childrenOf(process.pid).some(({ pid }) => !known.some((each) => each.pid === pid))
    if (waitFor === "start") await until(isNew)
    const family = childrenOf(process.pid).filter(({ command }) => command.includes("engine/main"))
    await cluster.shutdown()
    assert.deepEqual(family.filter(stillLives), [])
    assert.deepEqual(childrenOf(process.pid).filter(({ command }) => command.includes("engine/main")), [])
  }
})

test("Engines of an executor that started its own come back, too", async () => {
  const saved = process.env["FUTURES_CLUSTER"]
  process.env["FUTURES_CLUSTER"] = join(folder(), "none.json")
  onTestFinished(() => {
    if (saved === undefined) delete process.env["FUTURES_CLUSTER"]
    else process.env["FUTURES_CLUSTER"] = saved
  })
  await using executor = new ClusterExecutor({ maxWorkers: 1, engines: 1 })
  const engine = await executor.run(where)
  process.kill(engine, "SIGKILL")
  assert.notEqual(await executor.run(where), engine)
})

test("While the broker is away engines() and changes() say so, and calls wait; then they go on", async () => {
  const broker = await Broker.start({ sync: "interval" })
  onTestFinished(() => broker.stop())
  const [disconnects, reconnects] = [hear("futures:cluster:disconnect"), hear("futures:cluster:reconnect")]
  const cluster = await start({ engines: 1, slots: 1, broker })
  const changes = follow(cluster)
  const { gate, notebook, open, written } = scene()
  const future = cluster.executor().submit(hold, notebook, "a", gate)
  await written(1)
  assert.ok(cluster.isConnected)
  assert.deepEqual(cluster.engines().map(({ isConnected }) => isConnected), [true])
  await broker.kill()
  await until(() => !cluster.isConnected)
  assert.deepEqual(cluster.engines().map(({ isConnected }) => isConnected), [false])
  await broker.restart()
  open()
  assert.equal(await future.result(), "a")
  assert.ok(cluster.isConnected)
  assert.deepEqual(cluster.engines().map(({ isConnected }) => isConnected), [true])
  assert.deepEqual(changes.map(({ type }) => type), ["join", "disconnect", "reconnect"])
  const { namespace, servers } = cluster.connection
  assert.deepEqual([disconnects, reconnects], [[{ servers, namespace }], [{ servers, namespace }]])
})

test("While the broker is away an engine ends workers that are idle for idleTimeout, and none that has a call", async () => {
  const broker = await Broker.start({ sync: "interval" })
  onTestFinished(() => broker.stop())
  const cluster = await start({ engines: 1, slots: 2, broker })
  const { gate, lines, notebook, open, written } = scene()
  const busy = cluster.executor({ idleTimeout: 500 })
  const future = busy.submit(hold, notebook, "a", gate)
  await written(1)
  const idle = cluster.executor({ idleTimeout: 500 })
  await idle.run(add, 1, 2)
  const engine = cluster.engines()[0]!.pid
  const workers = () => childrenOf(engine).filter(({ command }) => command.includes("cluster-"))
  assert.equal(workers().length, 2)
  await broker.kill()
  await until(() => workers().length === 1)
  // Long enough for several questions.
  await setTimeout(1_500)
  assert.equal(workers().length, 1)
  open()
  await broker.restart()
  assert.equal(await future.result(), "a")
  assert.equal(await idle.run(add, 3, 4), 7)
  assert.equal(lines().length, 1)
})
