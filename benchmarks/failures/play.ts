/** Plays a scene with a library in a fresh process, sees to it that it ends, and looks at what is left of it. */
import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Readable } from "node:stream"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import type { Event } from "./child.ts"
import type { Library } from "./pools.ts"
import type { Scene } from "./scenes.ts"

/** What was seen. */
export interface Seen {
  readonly events: ReadonlyArray<Event>
  /** How the process ended; `undefined` when it had to be killed. */
  readonly exit: number | string | undefined
  /** How often a fault ran. */
  readonly runs: number
  /** Processes that outlived it by two seconds. */
  readonly orphans: number
  readonly complaint: string
}

/** Milliseconds after which a call, or the end of a pool, counts as one that never comes. */
const PATIENCE = 6_000
/** What a scene may take: a few calls that never end, one after another. */
const LIMIT = 5 * PATIENCE
/** What outlives its parent by so much is left behind. */
const ORPHANED_AFTER = 2_000

const root = fileURLToPath(new URL("../../", import.meta.url))
/** The line of stderr that says what the process died of, wherever this is run. */
const firstError = (text: string): string =>
  (text.split("\n").find((line) => /^\s*\w*Error\b/.test(line)) ?? "").trim().replaceAll(root, "").slice(0, 200)

const child = fileURLToPath(new URL("child.ts", import.meta.url))

/** All processes that descend from one. */
const descendantsOf = (ancestor: number): ReadonlyArray<number> => {
  const parents = new Map<number, number>()
  for (const name of readdirSync("/proc")) {
    if (/^\d+$/.test(name)) parents.set(Number(name), parentOf(Number(name)))
  }
  const found = [ancestor]
  for (const parent of found) for (const [pid, its] of parents) if (its === parent) found.push(pid)
  return found.slice(1)
}

const statOf = (pid: number): ReadonlyArray<string> => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  } catch {
    return []
  }
}
const parentOf = (pid: number): number => Number(statOf(pid)[1] ?? 0)
const lives = (pid: number): boolean => !["Z", "X", undefined].includes(statOf(pid)[0])

export const play = async (scene: Scene, library: Library): Promise<Seen> => {
  const directory = mkdtempSync(join(tmpdir(), "futures-failures-"))
  const runs = join(directory, "runs")
  writeFileSync(runs, "")
  const process_ = spawn(process.execPath, [child, library.name, library.kind, scene.id, String(PATIENCE)], {
    cwd: directory,
    env: { ...process.env, FAILURES_RUNS: runs },
    stdio: ["ignore", "ignore", "pipe", "pipe"]
  })
  const pid = process_.pid!
  const text = { events: "", complaint: "" }
  const pipes = [["events", process_.stdio[3] as Readable], ["complaint", process_.stderr!]] as const
  for (const [what, stream] of pipes) stream.on("data", (chunk: Buffer) => text[what] += chunk)
  // Children that are killed by us, or that outlive it, are looked for while it lives.
  const family = new Map<number, string | undefined>()
  const look = setInterval(() => {
    for (const each of descendantsOf(pid)) family.set(each, statOf(each)[19])
  }, 50)
  const patience = new AbortController()
  const exit = await Promise.race([
    new Promise<number | string>((resolve) => process_.on("exit", (code, signal) => resolve(code ?? signal!))),
    sleep(LIMIT, undefined, { signal: patience.signal })
  ])
  patience.abort()
  clearInterval(look)
  process_.kill("SIGKILL")
  // A number may be another's by now: the time of birth tells.
  const left = (): ReadonlyArray<number> =>
    [...family].filter(([each, born]) => lives(each) && statOf(each)[19] === born).map(([each]) => each)
  const until = performance.now() + ORPHANED_AFTER
  while (left().length > 0 && performance.now() < until) await sleep(20)
  const orphans = left()
  for (const orphan of orphans) process.kill(orphan, "SIGKILL")
  for (const [, stream] of pipes) stream.destroy()
  const seen: Seen = {
    events: text.events.replaceAll(root, "").split("\n").filter(Boolean).map((line) => JSON.parse(line) as Event),
    exit,
    runs: readFileSync(runs).byteLength,
    orphans: orphans.length,
    complaint: firstError(text.complaint)
  }
  rmSync(directory, { recursive: true, force: true })
  return seen
}
