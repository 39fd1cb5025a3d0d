/** Calls of named clients: written down by the broker, run by engines, there for whoever asks later. */
import { Broker, Cluster } from "@futures/cluster-executor"
import { InvalidStateError, PoisonTaskError, Task, WorkerLostError } from "@futures/core"
import assert from "node:assert/strict"
import { onTestFinished, test } from "vitest"
import { scene, start, until } from "./bench.ts"
import { add, double, echo, fail, fatal, hold, holdAndIdentify, letters, note, noteUntil } from "./tasks.ts"

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
  await assert.rejects(executor.stream(letters, "").next(), {
    _tag: "InvalidStateError",
    message: /^letters is a generator task/
  })
  await assert.rejects(executor.run(Task.with(double, { queueTimeout: 50 }), 1), {
    _tag: "InvalidOptionError",
    option: "queueTimeout"
  })
  for (const option of [{ env: { A: "b" } }, { memoryLimit: 2 ** 30 }, { labels: { long: "x".repeat(200) } }]) {
    assert.throws(() => cluster.executor(option), { _tag: "InvalidOptionError", option: Object.keys(option)[0] })
  }
  for (const retention of [-1, 999, NaN, "a while"]) {
    assert.throws(
      () => cluster.executor({ retention: retention as number }),
      { _tag: "InvalidOptionError", option: "retention" }
    )
  }
  await assert.rejects(cluster.resubmit(7), InvalidStateError)
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

test("A kept call that is delivered again has the same key, and says how often it was delivered", async () => {
  const cluster = await start({ engines: 2, slots: 1, client: "again" })
  const { gate, lines, notebook, open, written } = scene()
  const future = cluster.executor().submit(holdAndIdentify, notebook, gate)
  await written(1)
  process.kill(Number(lines()[0]!.split(" ")[1]), "SIGKILL")
  await written(2)
  open()
  const { key } = future.info
  assert.equal(await future.result(), key)
  assert.deepEqual(lines().map((line) => line.replace(/ \d+/, "")), [`${key} 1 1`, `${key} 1 2`])
})

test("A call that kills every engine it meets ends as PoisonTaskError", async () => {
  const cluster = await start({ engines: 4, slots: 1, client: "poison" })
  const { lines, notebook } = scene()
  const error = await cluster.executor().submit(fatal, notebook).exception()
  assert.ok(error instanceof PoisonTaskError, String(error))
  assert.equal(error.attempts, 3)
  assert.match(`${error.message}, ${(error.cause as Error).message}`, /"fatal".*"fatal"/)
  assert.equal(new Set(lines()).size, 3)
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

test("A call that nobody knows of fails, and all who ask for one that somebody knows of are told", async () => {
  const cluster = await start({ engines: 1, slots: 1, client: "asked" })
  const { id } = cluster.executor().submit(add, 1, 2).info
  const asked = Array.from({ length: 3 }, () => cluster.future<number>(id).result())
  assert.deepEqual(await Promise.all(asked), [3, 3, 3])
  assert.ok(await cluster.future(id + 1).exception() as unknown instanceof InvalidStateError)
})

test("A call with a retry runs again until it succeeds, and its last outcome is the one that is kept", async () => {
  const cluster = await start({ engines: 1, slots: 1, client: "retries" })
  const { lines, notebook } = scene()
  const executor = cluster.executor()
  const third = executor.submit(Task.with(noteUntil, { retry: 2 }), notebook, 3)
  assert.equal(await third.result(), 3)
  assert.equal(lines().length, 3)
  assert.equal(await cluster.future<number>(third.info.id).result(), 3)
  const never = executor.submit(Task.with(noteUntil, { retry: 1 }), notebook, 9)
  assert.match(String(await never.exception()), /5 of 9/)
  assert.match(String(await cluster.future(never.info.id).exception()), /5 of 9/)
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

test("calls() lists pending and settled calls, by label", async () => {
  const cluster = await start({ engines: 1, slots: 1, client: "sweep" })
  const { gate, notebook, open, written } = scene()
  const executor = cluster.executor()
  const seven = { label: "sweep 7" }
  const ok = executor.submit(Task.with(add, seven), 1, 2)
  const failed = executor.submit(Task.with(fail, seven), "no")
  const long = executor.submit(Task.with(echo<Uint8Array>, seven), new Uint8Array(9 * 2 ** 20))
  const other = executor.submit(add, 3, 4)
  await Promise.all([ok, failed, long, other].map((each) => each.wait()))
  const held = executor.submit(Task.with(hold, seven), notebook, "a", gate)
  const waiting = executor.submit(Task.with(add, seven), 5, 6)
  await written(1)
  const list = async (options?: { readonly label?: string }) => {
    const calls: Array<[id: number, label: string, task: string, state: string]> = []
    for await (const { id, label, state, task } of cluster.calls(options)) calls.push([id, label, task, state])
    return calls
  }
  await until(() => cluster.client.unwritten === 0)
  const expected = [
    [ok.info.id, "sweep 7", "add", "succeeded"],
    [failed.info.id, "sweep 7", "fail", "failed"],
    [long.info.id, "sweep 7", "echo", "done"],
    [other.info.id, "add", "add", "succeeded"],
    [held.info.id, "sweep 7", "hold", "pending"],
    [waiting.info.id, "sweep 7", "add", "pending"]
  ]
  assert.deepEqual(await list(), expected)
  assert.deepEqual(await list({ label: "sweep 7" }), expected.filter(([, label]) => label === "sweep 7"))
  assert.deepEqual(await list({ label: "none" }), [])
  open()
  assert.equal(await held.result(), "a")
  assert.equal(await waiting.result(), 11)
  const nameless = await start({ engines: 0, slots: 1 })
  assert.throws(() => nameless.calls(), InvalidStateError)
})
