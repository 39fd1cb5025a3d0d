/** `futures-cluster status`: who is there, and what they do. */
import { setTimeout as sleep } from "node:timers/promises"
import { openRegistry } from "../registry.ts"
import type { Engine, OpenRegistry } from "../registry.ts"
import { askedToEnd } from "./ending.ts"
import { table } from "./output.ts"
import { reach } from "./reach.ts"
import type { Reach } from "./reach.ts"
import { openWaiting } from "./waiting.ts"
import type { Waiting } from "./waiting.ts"

export interface StatusInput extends Reach {
  readonly watch: boolean
  readonly json: boolean
}

/** How often the table is drawn anew, in milliseconds; and how long to listen before the first: who waits has said so by then. */
const REFRESH = 1_100

export const status = async (input: StatusInput): Promise<void> => {
  const connection = reach(input)
  const waiting = await openWaiting(connection)
  await using registry = await openRegistry(connection)
  try {
    await sleep(REFRESH)
    if (!input.watch) return print(await look(registry, waiting), input.json)
    const ending = new AbortController()
    void askedToEnd().then(() => ending.abort())
    while (!ending.signal.aborted) {
      const seen = await look(registry, waiting)
      // The whole screen, from its upper left corner.
      if (!input.json && process.stdout.isTTY) process.stdout.write("\u001B[H\u001B[2J")
      print(seen, input.json)
      await sleep(REFRESH, undefined, { signal: ending.signal }).catch(() => {})
    }
  } finally {
    await waiting.close()
  }
}

interface Seen {
  readonly engines: ReadonlyArray<Engine>
  /** Slots that executors wait for. */
  readonly wanted: number
  /** Calls of named clients that are not done. */
  readonly queued: number
}

const look = async (registry: OpenRegistry, waiting: Waiting): Promise<Seen> => ({
  engines: registry.engines().toSorted((a, b) => a.host.localeCompare(b.host) || a.id.localeCompare(b.id)),
  wanted: waiting.wanted(),
  queued: await registry.queued()
})

const print = ({ engines, queued, wanted }: Seen, json: boolean): void => {
  if (json) return void process.stdout.write(`${JSON.stringify({ engines, wanted, queued })}\n`)
  const head = ["ENGINE", "HOST", "PID", "SLOTS", "RUNNING", "STARTED", "HEARTBEAT", "LABELS"]
  const rows = engines.map((engine) => [
    engine.id,
    engine.host,
    ...[engine.pid, engine.slots, engine.running, engine.done].map(String),
    `${((Date.now() - engine.lastHeartbeat) / 1000).toFixed(1)} s ago`,
    Object.entries(engine.labels).map(([key, value]) => `${key}=${value}`).join(" ")
  ])
  const sum = (of: (engine: Engine) => number): number => engines.reduce((total, engine) => total + of(engine), 0)
  process.stdout.write(
    `${table([head, ...rows])}\n${engines.length} engines, ${sum(({ slots }) => slots)} slots, ${
      sum(({ running }) => running)
    } running; ${wanted} slots waited for, ${queued} calls kept\n`
  )
}
