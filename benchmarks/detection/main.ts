/**
 * How long it takes until the call of an engine that is gone runs elsewhere, or has failed, in milliseconds: real engines, one broker, this machine.
 *
 * `pnpm bench detection [--rounds N]`
 */
import { Broker, Cluster } from "@futures/cluster-executor"
import type { ClusterExecutorOptions } from "@futures/cluster-executor"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { availableParallelism, loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { mark } from "./tasks.ts"
import { victims } from "./victims.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

type Delivery = ClusterExecutorOptions["delivery"]

/** Whose call it is, and what becomes of it. */
const calls: Readonly<Record<string, { readonly client?: string; readonly delivery: Delivery }>> = {
  "runs again": { delivery: "at-least-once" },
  fails: { delivery: "at-most-once" },
  "of a named client, runs again": { client: "night", delivery: "at-least-once" },
  "of a named client, fails": { client: "night", delivery: "at-most-once" }
}

const now = (): number => Number(process.hrtime.bigint()) / 1e6

/** From the engine's end until its call runs elsewhere, or has failed. */
const once = async (victim: keyof typeof victims, call: string): Promise<number> => {
  const { client, delivery } = calls[call]!
  const folder = mkdtempSync(join(tmpdir(), "futures-detection-"))
  const notebook = join(folder, "notebook")
  writeFileSync(notebook, "")
  const lines = (): Array<string> => readFileSync(notebook, "utf8").split("\n").slice(0, -1)
  const written = async (count: number): Promise<void> => {
    while (lines().length < count) await sleep(2)
  }
  const broker = await Broker.start({ host: "0.0.0.0", sync: "interval" })
  const cluster = await Cluster.start({ engines: 0, slots: 1, root, broker })
  const caller = await Cluster.connect({ ...cluster.connection, root, client })
  const engine = await victims[victim].open(cluster)
  try {
    await caller.waitForEngines(1)
    const future = caller.executor({ delivery }).submit(mark, notebook)
    await written(1)
    await cluster.addEngine()
    await caller.waitForEngines(2)
    // At any time between two heartbeats.
    await sleep(500 + 400 * Math.random())
    const since = now()
    engine.strike()
    if (delivery === "at-most-once") {
      await future.exception()
      return now() - since
    }
    await written(2)
    return Number(lines()[1]!.split(" ")[1]) - since
  } finally {
    engine.remove()
    await caller.terminate()
    await cluster.terminate()
    await broker.stop()
    rmSync(folder, { recursive: true })
  }
}

export const detection = async (rounds: number): Promise<void> => {
  const load = () => loadavg()[0]!.toFixed(1)
  console.log(`${availableParallelism()} cores, load ${load()}, ${rounds} rounds; median (worst), in ms\n`)
  console.log(`| its engine | its call | ms | within |\n| --- | --- | --- | --- |`)
  for (const [victim, { limit, needsRoot }] of Object.entries(victims)) {
    if (needsRoot && (process.platform !== "linux" || process.getuid?.() !== 0)) {
      console.log(`| ${victim} | | needs root, for network namespaces | |`)
      continue
    }
    for (const call of Object.keys(calls)) {
      const took: Array<number> = []
      for (let round = 0; round < rounds; round++) took.push(await once(victim as keyof typeof victims, call))
      took.sort((a, b) => a - b)
      const [median, worst] = [took[took.length >> 1]!, took.at(-1)!].map(Math.round)
      console.log(`| ${victim} | ${call} | ${median} (${worst}) | ${worst! <= limit ? "" : "**not** "}${limit} |`)
    }
  }
  console.log(`\nload ${load()} at the end`)
}
