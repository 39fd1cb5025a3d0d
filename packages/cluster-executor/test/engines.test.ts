/** What becomes of calls when engines end. */
import { PoisonTaskError, Task, WorkerLostError } from "@futures/core"
import assert from "node:assert/strict"
import { test } from "vitest"
import { scene, start, until } from "./bench.ts"
import { add, double, echo, fatal, hold, holdAndIdentify, letters, where } from "./tasks.ts"

test("A call whose engine is killed runs again on another, and its future has the result", async () => {
  const cluster = await start({ engines: 2, slots: 1 })
  const { gate, lines, notebook, open, written } = scene()
  const executor = cluster.executor()
  const futures = ["a", "b", "c"].map((line) => executor.submit(hold, notebook, line, gate))
  await written(2)
  process.kill(Number(lines()[0]!.split(" ")[1]), "SIGKILL")
  await until(() => cluster.engines().length === 1)
  await until(() => futures.filter((future) => future.running()).length === 1)
  open()
  assert.deepEqual(await Promise.all(futures.map((future) => future.result())), ["a", "b", "c"])
  assert.equal(lines().length, 4)
  assert.equal(executor.stats().succeeded, 3)
})

test("A call that is delivered again has the same key, and says how often it was delivered", async () => {
  const cluster = await start({ engines: 2, slots: 1 })
  const { gate, lines, notebook, open, written } = scene()
  const executor = cluster.executor({ maxWorkers: 1 })
  const future = executor.submit(holdAndIdentify, notebook, gate)
  const { key } = future.info
  await written(1)
  assert.equal(future.info.deliveries, 1)
  process.kill(Number(lines()[0]!.split(" ")[1]), "SIGKILL")
  await written(2)
  open()
  assert.equal(await future.result(), key)
  assert.deepEqual(lines().map((line) => line.replace(/ \d+/, "")), [`${key} 1 1`, `${key} 1 2`])
  assert.deepEqual([future.info.key, future.info.attempt, future.info.deliveries], [key, 1, 2])
})

test("Items of a chunk that is delivered again have the same keys", async () => {
  const cluster = await start({ engines: 2, slots: 1 })
  const { gate, lines, notebook, open, written } = scene()
  const executor = cluster.executor({ maxWorkers: 1 })
  const items = Array.from({ length: 3 }, () => [notebook, gate] as [string, string])
  const keys: Array<string> = []
  const all = (async () => {
    for await (const key of executor.starmap(holdAndIdentify, items, { chunkSize: 3 })) keys.push(key)
  })()
  await written(1)
  process.kill(Number(lines()[0]!.split(" ")[1]), "SIGKILL")
  await written(2)
  open()
  await all
  assert.equal(new Set(keys).size, 3)
  const noted = lines().map((line) => line.replace(/ \d+/, ""))
  assert.deepEqual(noted, [`${keys[0]} 1 1`, ...keys.map((key) => `${key} 1 2`)])
})

test("With at-most-once it fails with WorkerLostError, and what only waited runs", async () => {
  const cluster = await start({ engines: 2, slots: 1 })
  const { gate, lines, notebook, open, written } = scene()
  const executor = cluster.executor({ delivery: "at-most-once" })
  const futures = ["a", "b", "c", "d"].map((line) => executor.submit(hold, notebook, line, gate))
  await written(2)
  const [line, engine] = lines()[0]!.split(" ") as [string, string]
  process.kill(Number(engine), "SIGKILL")
  const lost = futures["abcd".indexOf(line)]!
  const error = await lost.exception()
  assert.ok(error instanceof WorkerLostError)
  assert.equal(error.reason, "machine")
  open()
  const others = futures.filter((future) => future !== lost)
  assert.deepEqual(
    (await Promise.all(others.map((future) => future.result()))).toSorted(),
    [..."abcd"].filter((each) => each !== line)
  )
  assert.equal(lines().length, 4)
})

test("A call that kills every engine it meets ends as PoisonTaskError after the third, and harms no other call", async () => {
  const cluster = await start({ engines: 4, slots: 1 })
  const { lines, notebook } = scene()
  const executor = cluster.executor({ maxWorkers: 1 })
  const poison = executor.submit(fatal, notebook)
  const others = [1, 2, 3].map((n) => executor.submit(add, n, n))
  const error = await poison.exception()
  assert.ok(error instanceof PoisonTaskError, String(error))
  assert.equal(error.attempts, 3)
  assert.ok(error.cause instanceof WorkerLostError)
  assert.deepEqual(await Promise.all(others.map((future) => future.result())), [2, 4, 6])
  assert.equal(new Set(lines()).size, 3)
  assert.equal(cluster.engines().length, 1)
  let kept = await cluster.poisoned()
  while (kept.length === 0) kept = await cluster.poisoned()
  assert.deepEqual(kept.map(({ args, name }) => ({ args, name })), [{ name: "fatal", args: [notebook] }])
})

test("Of such a call with arguments that no message holds all else is kept aside", async () => {
  const cluster = await start({ engines: 3, slots: 1 })
  const poison = cluster.executor({ maxWorkers: 1 }).submit(fatal, scene().notebook, new Uint8Array(9 * 2 ** 20))
  assert.ok(await poison.exception() instanceof PoisonTaskError)
  let kept = await cluster.poisoned()
  while (kept.length === 0) kept = await cluster.poisoned()
  assert.deepEqual(kept.map(({ args, id, name }) => ({ args, id, name })), [{
    name: "fatal",
    id: poison.info.id,
    args: undefined
  }])
})

test("A map goes on when an engine is killed: each item has its own result, in order", async () => {
  const cluster = await start({ engines: 3, slots: 1 })
  const executor = cluster.executor()
  const victim = await executor.run(where)
  const results: Array<number> = []
  for await (
    const result of executor.map(double, Array.from({ length: 3_000 }, (_, n) => n), { chunkSize: 10, bufferSize: 200 })
  ) {
    if (results.push(result) === 500) process.kill(victim, "SIGKILL")
  }
  assert.deepEqual(results, Array.from({ length: 3_000 }, (_, n) => 2 * n))
})

test("A generator task whose engine is killed fails: what it yielded cannot be taken back", async () => {
  const cluster = await start({ engines: 2, slots: 1 })
  const { gate } = scene()
  const executor = cluster.executor({ maxWorkers: 1 })
  const victim = await executor.run(where)
  const items = executor.stream(letters, gate)
  assert.deepEqual(await items.next(), { done: false, value: "a" })
  process.kill(victim, "SIGKILL")
  await assert.rejects(items.next(), WorkerLostError)
})

test("An engine that drains finishes what runs on it, and takes nothing more", async () => {
  const cluster = await start({ engines: 1, slots: 1 })
  const { gate, lines, notebook, open, written } = scene()
  const executor = cluster.executor()
  const first = executor.submit(hold, notebook, "first", gate)
  await written(1)
  const second = await cluster.addEngine()
  process.kill(Number(lines()[0]!.split(" ")[1]), "SIGTERM")
  const next = executor.submit(hold, notebook, "next", gate)
  await written(2)
  assert.ok(lines()[1]!.endsWith(` ${second.pid}`))
  open()
  assert.deepEqual([await first.result(), await next.result()], ["first", "next"])
  assert.equal(lines().length, 2)
  await until(() => cluster.engines().length === 1)
})

test("A queue timeout says when no engine has the labels of the executor", async () => {
  const cluster = await start({ engines: 1, slots: 1 })
  const executor = cluster.executor({ labels: { gpu: "yes", zone: "b" } })
  await cluster.addEngine({ labels: { gpu: "yes", zone: "a" } })
  await assert.rejects(executor.run(Task.with(echo, { queueTimeout: 300 }), "never"), {
    _tag: "TaskTimeoutError",
    message:
      `Task "echo" did not start within 300 ms (queue timeout): none of the 2 engines has the labels gpu=yes, zone=b`
  })
  await assert.rejects(cluster.waitForEngines(5, { timeout: 10 }), {
    message: "Waited 10 ms for 5 engines (wait timeout): 2 are there"
  })
})

test("Calls wait for an engine to join", async () => {
  const cluster = await start({ engines: 1, slots: 1 })
  const executor = cluster.executor({ labels: { gpu: "yes" } })
  const future = executor.submit(echo, "seen")
  assert.equal(await future.wait({ timeout: 300 }), false)
  const engine = await cluster.addEngine({ labels: { gpu: "yes", zone: "a" } })
  assert.equal(await future.result(), "seen")
  assert.equal(future.info.engine, engine.id)
})
