/**
 * A thread of a child process, where no watchdog stands by: it looks for the parent, also while the child is in an endless loop. The child then exits in
 * order, or is killed.
 */
import process from "node:process"
import { workerData } from "node:worker_threads"
import type { OrphanData } from "./serveParent.ts"

const LOOK_EVERY_MS = 250
/** A child that has not noticed that its channel is closed after so long is in an endless loop. */
const STUCK_MS = 500

const { exitTimeoutMs, hasNoticed, parent } = workerData as OrphanData
let since: number | undefined

setInterval(() => {
  if (process.ppid === parent) return
  since ??= performance.now()
  const limitMs = hasNoticed[0] === 1 ? exitTimeoutMs : STUCK_MS
  if (performance.now() - since >= limitMs) process.kill(process.pid, "SIGKILL")
}, LOOK_EVERY_MS)
