/** The process that holds a cluster together: whether it still lives, and how to end it. */
import { hostname } from "node:os"
import { setTimeout as sleep } from "node:timers/promises"
import type { Launcher } from "../broker/connectionFile.ts"
import { bornAt } from "../processState.ts"

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
