/** One cluster, seen as a whole, by engine, by label. */
import { BrokerError, Cluster, ClusterExecutor, openRegistry, runEngine } from "@futures/cluster-executor"
import {
  BrokenExecutorError,
  Executor,
  gather,
  InvalidOptionError,
  InvalidStateError,
  TaskNotFoundError,
  TaskTimeoutError
} from "@futures/core"
import { Task } from "@futures/core"
import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { cpSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { onTestFinished, test } from "vitest"
import { folder, scene, start, until } from "./bench.ts"
import { add, hold, itself, note, noteAtExit, sum, where } from "./tasks.ts"

test("Engines tell who they are; waitForEngines waits, and gives up", async () => {
  const cluster = await start({ engines: 1, slots: 3, labels: { zone: "a" } })
  const [engine] = cluster.engines()
  assert.deepEqual([engine!.slots, engine!.running, engine!.done, engine!.labels], [3, 0, 0, { zone: "a" }])
  const waiting = cluster.waitForEngines(2)
  const added = await cluster.addEngine({ slots: 1 })
  assert.ok((await waiting).some(({ id, pid }) => id === added.id && pid === added.pid))
  await assert.rejects(cluster.waitForEngines(3, { timeout: 10 }), TaskTimeoutError)
})

test("running counts the slots that are taken, done the calls that were started, named clients' included", async () => {
  const cluster = await start({ engines: 1, slots: 3 })
  const told = () => cluster.engines().map(({ done, running }) => [running, done])
  const tells = (running: number, done: number) => until(() => isDeepStrictEqual(told(), [[running, done]]))
  const { gate, notebook, open, written } = scene()
  const executor = cluster.executor({ maxWorkers: 1 })
  for (let n = 0; n < 3; n++) await executor.run(add, n, n)
  // Its worker waits for more.
  await tells(1, 3)
  const { connection } = cluster
  await using named = await Cluster.connect({ ...connection, client: "night" })
  const futures = [1, 2].map(() => named.executor().submit(hold, notebook, "held", gate))
  await written(2)
  await tells(3, 5)
  open()
  await gather(futures)
  await tells(1, 5)
  await executor.shutdown()
  await tells(0, 5)
})

test("changes() tells of engines that join and leave, and openRegistry shows them to others", async () => {
  const cluster = await start({ engines: 1, slots: 1 })
  const changes = cluster.changes()
  const first = (await changes.next()).value!
  assert.deepEqual([first.type, first.engine.id], ["join", cluster.engines()[0]!.id])
  const added = await cluster.addEngine()
  const second = (await changes.next()).value!
  assert.deepEqual([second.type, second.engine.id], ["join", added.id])
  await using registry = await openRegistry(cluster.connection)
  assert.deepEqual(registry.engines().map(({ id }) => id).toSorted(), [first.engine.id, added.id].toSorted())
  await added.kill()
  const third = (await changes.next()).value!
  assert.deepEqual([third.type, third.engine.id], ["leave", added.id])
  await changes.return!()
  assert.deepEqual(await changes.next(), { done: true, value: undefined })
})

test("direct() runs calls on one engine; broadcast() once on each; scatter() cuts, gather() puts together", async () => {
  const cluster = await start({ engines: 3, slots: 1 })
  const engines = cluster.engines()
  for (const { id, pid } of engines) {
    const direct = cluster.direct(id)
    assert.deepEqual(await Promise.all([direct.run(where), direct.run(where)]), [pid, pid])
  }
  const everywhere = cluster.broadcast(where)
  assert.deepEqual([...everywhere.keys()].toSorted(), engines.map(({ id }) => id).toSorted())
  for (const { id, pid } of engines) assert.equal(await everywhere.get(id)!.result(), pid)
  const parts = cluster.scatter(sum, Array.from({ length: 100 }, (_, n) => n))
  assert.equal(parts.size, 3)
  const sums = await cluster.gather(parts)
  assert.deepEqual([sums.length, sums.reduce((a, b) => a + b)], [3, 4950])
  const numbers = Float64Array.from({ length: 100 }, (_, n) => n / 3)
  const scattered = cluster.scatter(itself, numbers)
  assert.deepEqual(await Promise.all([...scattered.values()].map(async (part) => (await part.result()).length)), [
    33,
    34,
    33
  ])
  assert.deepEqual(await cluster.gather(scattered), numbers)
})

test("Calls for an engine that is gone fail with BrokenExecutorError", async () => {
  const cluster = await start({ engines: 2, slots: 1 })
  const { gate, notebook, written } = scene()
  const { id, pid } = cluster.engines()[0]!
  const futures = [cluster.direct(id).submit(hold, notebook, "a", gate), cluster.direct(id).submit(add, 1, 2)]
  await written(1)
  process.kill(pid, "SIGKILL")
  for (const future of futures) assert.ok(await future.exception() instanceof BrokenExecutorError)
  assert.ok(await cluster.direct(id).submit(add, 1, 2).exception() instanceof BrokenExecutorError)
})

test("Executors share the slots out: one that waits is given one of another's, when its call is done", async () => {
  const cluster = await start({ engines: 1, slots: 2 })
  const { gate, lines, notebook, open, written } = scene()
  const greedy = cluster.executor()
  const first = [1, 2].map(() => greedy.submit(hold, notebook, "held", gate))
  await written(2)
  const more = Array.from({ length: 200 }, () => greedy.submit(note, notebook, "greedy"))
  const modest = cluster.executor().submit(note, notebook, "modest")
  assert.equal(await modest.wait({ timeout: 1_000 }), false)
  open()
  await modest.result()
  await gather([...first, ...more])
  assert.equal(lines().length, 203)
})

test("An engine with other code refuses the call, naming both versions, before it runs anything", async () => {
  const cluster = await start({ engines: 1, slots: 1 })
  const [mine, theirs] = [folder(), folder()]
  const source = (tag: string): string =>
    `import { appendFileSync } from "node:fs"\nappendFileSync(${
      JSON.stringify(join(theirs, "ran"))
    }, "loaded")\nexport const tag = () => ${JSON.stringify(tag)}\n`
  for (const [root, tag] of [[mine, "mine"], [theirs, "theirs"]] as const) {
    mkdirSync(join(root, "lib"))
    writeFileSync(join(root, "lib", "code.mjs"), source(tag))
  }
  const { tag } = Task.from<{ tag: () => string }>(new URL(`file://${mine}/lib/code.mjs`))
  const engine = await cluster.addEngine({ root: theirs })
  const refused = await cluster.executor({ engine: engine.id, root: mine }).submit(tag).exception()
  assert.ok(refused instanceof TaskNotFoundError, String(refused))
  assert.match(refused.message, /the caller has version [0-9a-f]{16} of lib\/code\.mjs, this engine [0-9a-f]{16}/)
  assert.throws(() => cpSync(join(theirs, "ran"), join(theirs, "copy")), /ENOENT/)
  cpSync(join(mine, "lib"), join(theirs, "lib"), { recursive: true })
  assert.equal(await cluster.executor({ engine: engine.id, root: mine }).run(tag), "mine")
})

test("Modules given as text, and files outside of the root, are not loaded", async () => {
  const cluster = await start({ engines: 1, slots: 1 })
  const executor = cluster.executor()
  for (
    const url of [
      "data:text/javascript,export const evil = () => 1",
      "file:///etc/evil.js",
      "futures:absent/../../etc/evil.js"
    ]
  ) {
    const { evil } = Task.from<{ evil: () => number }>(url.startsWith("futures") ? url : new URL(url))
    assert.ok(await executor.submit(evil).exception() instanceof TaskNotFoundError, url)
  }
  const { basename } = Task.from<typeof import("node:path")>("node:path")
  assert.equal(await executor.run(basename, "/a/b"), "b")
})

test("Tasks that are defined by their source run on engines that allow it, and never for a named client", async () => {
  const double = Task.define(new Function("n", "return n * 2") as (n: number) => number)
  const strict = await start({ engines: 1, slots: 1 })
  const refused = await strict.executor({ interactive: true }).submit(double, 21).exception()
  assert.ok(refused instanceof TaskNotFoundError)
  assert.match(refused.message, /--allow-source/)
  const open = await start({ engines: 1, slots: 1, textModules: true })
  assert.equal(await open.executor({ interactive: true }).run(double, 21), 42)
  assert.ok(await open.executor().submit(double, 21).exception() instanceof InvalidStateError)
  const named = await Cluster.connect({ ...open.connection, client: "night" })
  onTestFinished(() => named.terminate())
  assert.throws(() => named.executor({ interactive: true }), InvalidOptionError)
  const durable = await named.executor().submit(double, 21).exception()
  assert.match(String(durable), /InvalidStateError: .* outlives this program/)
})

test("What a client that was killed had running is ended, and its slots are free", async () => {
  const cluster = await start({ engines: 1, slots: 1 })
  const { gate, lines, notebook, written } = scene()
  const other = await Cluster.connect({ ...cluster.connection })
  void other.executor().submit(hold, notebook, "abandoned", gate)
  await written(1)
  // As its process would: the connection is gone without a word.
  await other.client.bus.nats.close()
  const future = cluster.executor().submit(note, notebook, "next")
  assert.equal(await future.result(), "next")
  assert.equal(lines().length, 2)
})

test("Workers of a client that is gone run their exit hooks", async () => {
  const cluster = await start({ engines: 1, slots: 2 })
  const { gate, lines, notebook, written } = scene()
  const other = await Cluster.connect({ ...cluster.connection })
  const executor = other.executor({ maxWorkers: 2 })
  await executor.run(noteAtExit, notebook, "exited")
  void executor.submit(hold, notebook, "abandoned", gate)
  await written(1)
  // As its process would: the connection is gone without a word.
  await other.client.bus.nats.close()
  await written(2)
  assert.equal(lines().at(-1), "exited")
})

test("With nothing to connect to, an executor starts a broker and engines of its own, and ends them", async () => {
  const saved = process.env["FUTURES_CLUSTER"]
  process.env["FUTURES_CLUSTER"] = join(folder(), "none.json")
  try {
    const executor = new ClusterExecutor({ maxWorkers: 2 })
    const engine = await executor.run(where)
    assert.equal(await executor.run(add, 1, 2), 3)
    await executor.shutdown()
    await until(() => !lives(engine))
    const program = Executor.run(add, 2, 3).pipe(Effect.provide(ClusterExecutor.layer({ maxWorkers: 1, engines: 1 })))
    assert.equal(await Effect.runPromise(program), 5)
  } finally {
    if (saved === undefined) delete process.env["FUTURES_CLUSTER"]
    else process.env["FUTURES_CLUSTER"] = saved
  }
})

test("A broker that cannot be reached is a BrokerError that says where and why; it breaks the executor, as the cause", async () => {
  const servers = ["127.0.0.1:1"]
  const isUnreachable = (error: unknown): boolean => {
    assert.ok(error instanceof BrokerError, String(error))
    assert.equal(error.reason, "unreachable")
    assert.match(error.message, /127\.0\.0\.1:1 .*refused/i)
    return error.cause instanceof Error
  }
  await assert.rejects(Cluster.connect({ servers }), isUnreachable)
  await assert.rejects(openRegistry({ servers, credentials: {}, namespace: "default" }), isUnreachable)
  await assert.rejects(runEngine({ servers }), isUnreachable)
  const failure = Effect.flip(Effect.scoped(Cluster.connected({ servers })))
  assert.ok(isUnreachable(await Effect.runPromise(failure)))
  await using executor = new ClusterExecutor({ servers })
  const error = await executor.submit(add, 1, 2).exception()
  assert.ok(error instanceof BrokenExecutorError && isUnreachable(error.cause))
})

test("A broker that does not let us in is a BrokerError, too", async () => {
  const cluster = await start({ engines: 0, slots: 1 })
  const { namespace, servers } = cluster.connection
  await assert.rejects(
    Cluster.connect({ servers, namespace, credentials: { token: "guess" } }),
    (error) => error instanceof BrokerError && error.reason === "permission" && error.message.includes(servers[0]!)
  )
})

test("Wrong options are named", () => {
  for (
    const options of [{ delivery: "once" }, { engines: 0 }, { servers: [] }, { labels: { a: 1 } }, { root: 5 }, {
      maxKept: 0
    }, {
      engine: ""
    }]
  ) {
    assert.throws(() => new ClusterExecutor(options as never), InvalidOptionError, JSON.stringify(options))
  }
})

const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
