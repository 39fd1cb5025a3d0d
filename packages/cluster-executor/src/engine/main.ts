/**
 * What an engine that somebody started as a child runs: options come on the first line of stdin, and it does not outlive whoever holds the other end.
 *
 * ```
 * parent ── options ──▶ engine       one line of JSON
 * parent ◀── "ready <id>" ─ engine   or "failed <why>"
 * parent ── "drain" ──▶ engine       it ends when what runs is done, as on SIGTERM; the end of stdin ends it at once
 * ```
 */
import process from "node:process"
import { createInterface } from "node:readline"
import { runEngine } from "./runEngine.ts"
import type { EngineHandle } from "./runEngine.ts"

// Its own stdout is what its workers inherit; this is said on a descriptor of its own.
const say = (line: string): void => {
  process.send?.(line)
}

let engine: EngineHandle | undefined
const lines = createInterface({ input: process.stdin })
lines.on("line", async (line) => {
  if (line === "drain") return void engine?.drain()
  try {
    engine = await runEngine(JSON.parse(line))
    say(`ready ${engine.id}`)
    await engine.done
    process.exit(0)
  } catch (error) {
    say(`failed ${error instanceof Error ? error.message : String(error)}`)
    process.exit(1)
  }
})
// Nobody holds the other end any more.
lines.on("close", () => process.exit(engine === undefined ? 1 : 0))
let asked = false
process.on("SIGTERM", () => {
  if (engine === undefined) process.exit(143)
  if (asked) void engine.kill().then(() => process.exit(143))
  asked = true
  void engine.drain()
})
