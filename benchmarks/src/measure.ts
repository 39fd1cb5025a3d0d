/** What several measurements need. */
import { readdirSync, readFileSync } from "node:fs"
import { setTimeout } from "node:timers/promises"
import type { Pool, Work } from "./contender.ts"

/** Hands in `count` calls at once and waits for all of them. */
export const many = (pool: Pool, work: Work, count: number): Promise<unknown> => {
  if (pool.many !== undefined) return pool.many(work, count)
  const calls = new Array<Promise<unknown>>(count)
  for (let i = 0; i < count; i++) calls[i] = pool.call(work)
  return Promise.all(calls)
}

/** Waits until every worker has answered; tells when the first one did. */
export const allReady = async (pool: Pool, asked: number): Promise<number> => {
  const workers = pool.distinct ?? asked
  let first = 0
  const seen = new Set<unknown>()
  const ask = async (): Promise<void> => {
    seen.add(await pool.call("who", 2))
    first ||= performance.now()
  }
  for (const end = performance.now() + 20_000; seen.size < workers;) {
    if (performance.now() > end) throw new Error(`only ${seen.size} of ${workers} workers ever answered`)
    await Promise.all(Array.from({ length: workers }, ask))
  }
  return first
}

/** Closes a pool, and does not wait for ever: not every peer comes to an end. */
export const closed = (pool: Pool): Promise<unknown> => Promise.race([pool.close(), setTimeout(2000)])

/** Watches the event loop from now on; the answer stops it and tells the longest stall in milliseconds. */
export const watchLoop = (): () => number => {
  let longest = 0
  let last = performance.now()
  const look = (): void => {
    const now = performance.now()
    longest = Math.max(longest, now - last - 1)
    last = now
  }
  const timer = setInterval(look, 1)
  return () => {
    look()
    clearInterval(timer)
    return longest
  }
}

export const percentile = (sorted: ReadonlyArray<number>, part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!

const MiB = 2 ** 20

/** The most memory that this process and its living children ever held, in MiB; children count on Linux alone. */
export const peakMemory = (): number => {
  let total = process.resourceUsage().maxRSS * 1024
  for (const pid of children(process.pid)) total += kilobytes(`/proc/${pid}/status`, "VmHWM") * 1024
  return total / MiB
}

/** What this process and its children hold now, shared pages counted in part, in MiB. */
export const memory = (): number => {
  let total = process.memoryUsage.rss()
  for (const pid of children(process.pid)) total += kilobytes(`/proc/${pid}/smaps_rollup`, "Pss") * 1024
  return total / MiB
}

const children = (pid: number): ReadonlyArray<string> => {
  if (process.platform !== "linux") return []
  const threads = readdirSync(`/proc/${pid}/task`)
  return threads.flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean)
  )
}

const kilobytes = (file: string, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(readFileSync(file, "utf8"))?.[1] ?? 0)
