/** What the system says of a process of this machine, where it says anything: Linux, in `/proc`. */
import { readFileSync } from "node:fs"
import { hostname } from "node:os"

/** A process, as others on its machine can find it. */
export interface ProcessIdentity {
  readonly host: string
  readonly pid: number
  /** When it was started, in clock ticks since the machine's start; another process may get the same pid later. `""` where the system does not say. */
  readonly born: string
}

/** Field 22 of `/proc/PID/stat`; `"dead"` for a process that was not yet reaped; `undefined` where there is no `/proc`, or no such process. */
export const bornAt = (pid: number): string | undefined => {
  const fields = statOf(pid)
  return fields?.[0] === "Z" ? "dead" : fields?.[19]
}

/**
 * Whether a process exists and is held up: stopped (SIGSTOP, Ctrl-Z), traced by a debugger, waiting for a disk, or without a turn on a busy processor. `false` for a
 * process that waits for input, has ended, or is on another machine.
 */
export const isHeldUp = ({ born, host, pid }: ProcessIdentity): boolean => {
  if (host !== hostname() || born === "") return false
  const fields = statOf(pid)
  return fields !== undefined && fields[19] === born && "TtDR".includes(fields[0]!)
}

/** The fields from the third on: the process's state first. */
const statOf = (pid: number): Array<string> | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  } catch {
    return undefined
  }
}
