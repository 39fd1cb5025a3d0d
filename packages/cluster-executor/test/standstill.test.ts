/**
 * Programs, engines and brokers that stand still for a while: nothing is lost, and nothing runs twice.
 *
 * `FUTURES_MINUTES` adds what takes longer.
 */
import { Broker } from "@futures/cluster-executor"
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { text } from "node:stream/consumers"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { onTestFinished, test } from "vitest"
import { childrenOf } from "../../process-executor/test/processes.ts"
import { scene, start, until } from "./bench.ts"
import type { CallerInput } from "./fixtures/caller.ts"
import { hold } from "./tasks.ts"

const program = fileURLToPath(new URL("fixtures/caller.ts", import.meta.url))

const deliveries = [
  { delivery: "at-least-once" },
  { delivery: "at-most-once" },
  { delivery: "at-least-once", client: "durable" }
] as const

/** A caller in a process of its own, with calls of each delivery on two engines, each of two slots. */
const openCaller = async (count: number, input: Pick<CallerInput, "napMs" | "computeMs">) => {
  const broker = await Broker.start({ sync: "interval" })
  onTestFinished(() => broker.stop())
  const cluster = await start({ engines: 2, slots: 2, broker })
  const { lines, notebook, written } = scene()
  const calls = Array.from({ length: count }, (_, n) => ({ line: `${n}`, ...deliveries[n % deliveries.length]! }))
  const caller = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] })
  onTestFinished(() => void caller.kill("SIGKILL"))
  const output = text(caller.stdout)
  caller.stdin.end(JSON.stringify({ connection: cluster.connection, notebook, calls, ...input } satisfies CallerInput))
  const engines = cluster.engines().map(({ pid }) => pid)
  /** Each call succeeded and ran once, and no engine was missed. */
  const check = async (): Promise<void> => {
    if (caller.exitCode === null) await once(caller, "exit")
    const numbers = calls.map(({ line }) => line)
    assert.deepEqual((await output).trimEnd().split("\n"), [...numbers, "leaves:"])
    assert.deepEqual(lines().map((line) => line.split(" ")[0]!).toSorted((a, b) => Number(a) - Number(b)), numbers)
  }
  return { broker: broker.pid!, caller: caller.pid!, check, engines, written }
}

/** What stands still, of a cluster that runs calls. */
const subsets = {
  "all of it": ({ broker, caller, engines }) => [caller, ...engines, ...engines.flatMap(workersOf), broker],
  "its broker": ({ broker }) => [broker],
  "both engines, without their workers,": ({ engines }) => engines,
  "one engine with its workers": ({ engines: [first] }) => [first!, ...workersOf(first!)],
  "its caller": ({ caller }) => [caller],
  "its caller and its broker": ({ broker, caller }) => [caller, broker],
  "its broker and its engines": ({ broker, engines }) => [broker, ...engines]
} satisfies Record<string, (of: Awaited<ReturnType<typeof openCaller>>) => Array<number>>

const workersOf = (engine: number): Array<number> => childrenOf(engine).map(({ pid }) => pid)

const isDeep = process.env["FUTURES_MINUTES"] !== undefined
const always = ["all of it", "its broker and its engines"]

for (const [name, pidsOf] of Object.entries(subsets)) {
  test.skipIf(!isDeep && !always.includes(name))(
    `A cluster of which ${name} is stopped for eight seconds loses nothing, and runs nothing twice`,
    async () => {
      const cluster = await openCaller(12, { napMs: 700, computeMs: 0 })
      await cluster.written(2)
      const pids = pidsOf(cluster)
      for (const pid of pids) process.kill(pid, "SIGSTOP")
      await sleep(8_000)
      for (const pid of pids) process.kill(pid, "SIGCONT")
      await cluster.check()
    },
    60_000
  )
}

test("A caller that computes for four seconds after each result loses nothing, and nothing runs twice", async () => {
  const { check } = await openCaller(4, { napMs: 1_000, computeMs: 4_000 })
  await check()
}, 60_000)

test.skipIf(!isDeep)(
  "A caller that computes for 65 seconds after a result loses nothing, and nothing runs twice",
  async () => {
    const { check } = await openCaller(3, { napMs: 30_000, computeMs: 65_000 })
    await check()
  },
  300_000
)

test("An engine that is stopped keeps its calls, and an engine that is killed meanwhile does not", async () => {
  const cluster = await start({ engines: 2, slots: 1 })
  const { gate, lines, notebook, open, written } = scene()
  const futures = ["a", "b"].map((line) => cluster.executor().submit(hold, notebook, line, gate))
  await written(2)
  const engine = Number(lines()[0]!.split(" ")[1])
  process.kill(engine, "SIGSTOP")
  // Longer than an engine that is cut off is waited for.
  await sleep(5_000)
  assert.equal(cluster.engines().length, 2)
  process.kill(engine, "SIGKILL")
  await until(() => cluster.engines().length === 1)
  open()
  assert.deepEqual(await Promise.all(futures.map((future) => future.result())), ["a", "b"])
  assert.equal(lines().length, 3)
}, 60_000)
