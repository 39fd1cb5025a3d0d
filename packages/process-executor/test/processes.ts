/** What the system says of processes. A dead one that nobody has collected (a zombie) counts as dead. */
import { readdirSync, readFileSync } from "node:fs"

export interface Entry {
  readonly pid: number
  readonly parent: number
  readonly state: string
  /** When it was born: another process may get the same number later. */
  readonly born: string
  readonly command: string
}

const read = (pid: number): Entry | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    const command = readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return { pid, state: fields[0]!, parent: Number(fields[1]), born: fields[19]!, command }
  } catch {
    return undefined
  }
}

const lives = (entry: Entry | undefined): entry is Entry =>
  entry !== undefined && entry.state !== "Z" && entry.state !== "X"

/** The living children of a process. */
export const childrenOf = (pid: number): Array<Entry> =>
  readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map((name) => read(Number(name))).filter(lives).filter(
    ({ parent }) => parent === pid
  )

export const isWatchdog = ({ command }: Entry): boolean => command.includes("futures-watchdog")

/** Whether a process that was seen before still lives. */
export const stillLives = ({ born, pid }: Entry): boolean => {
  const now = read(pid)
  return lives(now) && now.born === born
}

/** Looks again and again until it is so; rejects after `limit` milliseconds. */
export const until = async (condition: () => boolean, limit: number, what: () => string): Promise<void> => {
  const since = performance.now()
  while (!condition()) {
    if (performance.now() - since > limit) throw new Error(`Not within ${limit} ms: ${what()}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
