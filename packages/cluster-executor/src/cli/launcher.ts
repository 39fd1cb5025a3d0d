/** The process that holds a cluster together: whether it still lives, and how to end it. */
import { readFileSync } from "node:fs"
import { hostname } from "node:os"
import { setTimeout as sleep } from "node:timers/promises"
import type { Launcher } from "../broker/connectionFile.ts"

/** This process. */
export const thisLauncher = (): Launcher => ({ pid: process.pid, host: hostname(), born: bornAt(process.pid) ?? "" })

/** Whether the process lives. One that got its number later is another. */
export const lives = ({ born, pid }: Launcher): boolean => {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
  const now = bornAt(pid)
  return born === "" || now === undefined || now === born
}

/** Asks it to end, and waits until it has. */
export const end = async (launcher: Launcher): Promise<void> => {
  process.kill(launcher.pid, "SIGTERM")
  while (lives(launcher)) await sleep(10)
}

/** Field 22 of `/proc/PID/stat`, and "dead" for a process that nobody has collected yet; `undefined` where there is no `/proc`. */
const bornAt = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return fields[0] === "Z" ? "dead" : fields[19]
  } catch {
    return undefined
  }
}
