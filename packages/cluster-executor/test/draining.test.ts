/** Engines that are asked to end while calls run on them, as a user runs them. */
import { Cluster } from "@futures/cluster-executor"
import { InvalidOptionError, WorkerLostError } from "@futures/core"
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { onTestFinished, test } from "vitest"
import { resolveEngineOptions } from "../src/engine/options.ts"
import { scene, start } from "./bench.ts"
import { familyOf, gone, openShell } from "./command.ts"
import type { Running } from "./command.ts"
import { hold, note } from "./tasks.ts"

/** A cluster without engines, and `futures-cluster engine` to join it with. */
const empty = async () => {
  const cluster = await start({ engines: 0, slots: 1 })
  const { credentials, servers } = cluster.connection
  const shell = openShell({ FUTURES_CLUSTER_TOKEN: credentials.token! })
  const join = async (name: string, ...args: ReadonlyArray<string>): Promise<Running> => {
    const slots = args.includes("--slots") ? [] : ["--slots", "1"]
    const engine = shell.stay("engine", "--servers", servers.join(","), "--name", name, ...slots, ...args)
    await engine.tells("joined")
    return engine
  }
  return { cluster, join }
}

/** A program whose calls the broker keeps. */
const named = async ({ connection }: Cluster) => {
  const cluster = await Cluster.connect({ ...connection, client: "night" })
  onTestFinished(() => cluster.terminate())
  return cluster.executor()
}

/** An engine that runs a call, which waits for `open()`. */
const busy = async (who: string) => {
  const { cluster, join } = await empty()
  const { gate, lines, notebook, open, written } = scene()
  const executor = who === "a named client" ? await named(cluster) : cluster.executor()
  const leaving = await join("leaving")
  const held = executor.submit(hold, notebook, "held", gate)
  await written(1)
  return { executor, held, join, leaving, lines, notebook, open, written }
}

test.each(["a client without a name", "a named client"])(
  "An engine told to end lets the call of %s end there, is given nothing more, and ends with code 0; what waited runs elsewhere",
  async (who) => {
    const { executor, held, join, leaving, lines, notebook, open } = await busy(who)
    const waiting = [1, 2, 3].map((n) => executor.submit(note, notebook, `waiting ${n}`))
    leaving.process.kill("SIGTERM")
    await leaving.tells("draining")
    const late = executor.submit(note, notebook, "late")
    const staying = await join("staying")
    assert.deepEqual(
      await Promise.all([...waiting, late].map((future) => future.result())),
      ["waiting 1", "waiting 2", "waiting 3", "late"]
    )
    assert.equal(held.done(), false)
    assert.equal(leaving.process.exitCode, null)
    const family = familyOf(leaving.pid)
    open()
    assert.equal(await held.result(), "held")
    assert.equal((await leaving.ended).exitCode, 0)
    await gone(family)
    assert.deepEqual(
      lines().map((line) => line.slice(line.lastIndexOf(" ") + 1)),
      [leaving, staying, staying, staying, staying].map(({ pid }) => String(pid))
    )
    assert.deepEqual([executor.stats().succeeded, executor.stats().failed], [5, 0])
  }
)

test.each(["a client without a name", "a named client"])(
  "Told twice it ends at once, with the exit code of the signal; the call of %s runs again elsewhere",
  async (who) => {
    const { held, join, leaving, lines, open, written } = await busy(who)
    const family = familyOf(leaving.pid)
    leaving.process.kill("SIGTERM")
    await leaving.tells("draining")
    leaving.process.kill("SIGTERM")
    assert.equal((await leaving.ended).exitCode, 143)
    await gone(family)
    const staying = await join("staying")
    await written(2)
    open()
    assert.equal(await held.result(), "held")
    assert.deepEqual(lines(), [`held ${leaving.pid}`, `held ${staying.pid}`])
  }
)

test("A signal to an engine and its workers lets the call that runs finish", async () => {
  const { held, leaving, lines, open } = await busy("a client without a name")
  for (const { pid } of [...familyOf(leaving.pid), leaving]) process.kill(pid, "SIGTERM")
  await leaving.tells("draining")
  open()
  assert.equal(await held.result(), "held")
  assert.equal((await leaving.ended).exitCode, 0)
  assert.deepEqual(lines(), [`held ${leaving.pid}`])
})

test("A signal to futures-cluster start and all that it started lets the call that runs finish", async () => {
  const shell = openShell()
  const running = shell.stay("start", "-n", "1", "--slots", "1")
  await running.tells("started")
  const { credentials, namespace, servers } = JSON.parse(readFileSync(shell.file, "utf8"))
  const cluster = await Cluster.connect({ credentials, namespace, servers })
  onTestFinished(() => cluster.terminate())
  const { gate, lines, notebook, open, written } = scene()
  const held = cluster.executor().submit(hold, notebook, "held", gate)
  await written(1)
  for (const { pid } of [...familyOf(running.pid), running]) process.kill(pid, "SIGTERM")
  await running.tells("draining")
  await running.tells("broker-restarted")
  open()
  assert.equal(await held.result(), "held")
  assert.equal((await running.ended).exitCode, 0)
  assert.equal(lines().length, 1)
})

test("One that has room when it is told to end pulls no call of a named client any more", async () => {
  const { cluster, join } = await empty()
  const { gate, lines, notebook, open, written } = scene()
  const executor = await named(cluster)
  const leaving = await join("leaving", "--slots", "2")
  const first = executor.submit(hold, notebook, "first", gate)
  await written(1)
  leaving.process.kill("SIGTERM")
  await leaving.tells("draining")
  const late = executor.submit(note, notebook, "late")
  const staying = await join("staying")
  assert.equal(await late.result(), "late")
  open()
  assert.equal(await first.result(), "first")
  assert.deepEqual(lines(), [`first ${leaving.pid}`, `late ${staying.pid}`])
  assert.equal((await leaving.ended).exitCode, 0)
})

test("After its grace it ends with code 0, and what still runs is handed on, however often that happens", async () => {
  const { cluster, join } = await empty()
  const { gate, lines, notebook, open, written } = scene()
  const future = cluster.executor().submit(hold, notebook, "held", gate)
  const pids: Array<number> = []
  // More often than a call may kill its engine.
  for (const name of ["a", "b", "c", "d"]) {
    const engine = await join(name, "--grace", "20 millis")
    pids.push(engine.pid)
    await written(pids.length)
    if (name === "d") break
    engine.process.kill("SIGTERM")
    assert.equal((await engine.ended).exitCode, 0)
  }
  open()
  assert.equal(await future.result(), "held")
  assert.deepEqual(lines(), pids.map((pid) => `held ${pid}`))
})

test("With at-most-once what still runs after the grace fails with WorkerLostError", async () => {
  const { cluster, join } = await empty()
  const { gate, lines, notebook, written } = scene()
  const engine = await join("leaving", "--grace", "20")
  const lost = cluster.executor({ delivery: "at-most-once" }).submit(hold, notebook, "held", gate)
  await written(1)
  engine.process.kill("SIGTERM")
  assert.ok(await lost.exception() instanceof WorkerLostError)
  assert.equal((await engine.ended).exitCode, 0)
  assert.equal(lines().length, 1)
})

test("A grace that is no duration is refused", () => {
  for (const grace of ["soon", -1, Number.NaN, null]) {
    assert.throws(() => resolveEngineOptions({ servers: ["a:1"], grace: grace as never }), InvalidOptionError)
  }
})
