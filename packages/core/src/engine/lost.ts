/** How a worker ended, read from what its link, and it itself, reported. */
import type { LinkExit } from "../Backend.ts"
import { WorkerLostError } from "../ExecutorError.ts"
import type { WorkerLostReason } from "../ExecutorError.ts"
import type { WorkerExit } from "../options.ts"
import { decodeError } from "../wire/error.ts"
import type { Failure } from "./Failure.ts"
import type { Lane } from "./Lane.ts"

const reasonOf = (lane: Lane, exit: LinkExit): WorkerLostReason => {
  if (exit.redeliver !== undefined) return "machine"
  if (lane.outOfMemory) return "out-of-memory"
  if (lane.fatal !== undefined || lane.fault !== undefined) return "uncaught"
  if ((exit.error as NodeJS.ErrnoException | undefined)?.code === "ERR_WORKER_OUT_OF_MEMORY") return "out-of-memory"
  if (exit.error !== undefined) return "uncaught"
  return exit.signal === undefined ? "exit" : "signal"
}

/** The error that says why a worker ended: its own uncaught one, or what the backend saw. */
const exitCause = (lane: Lane, exit: LinkExit): unknown => {
  if (lane.fault !== undefined) return lane.fault
  return lane.fatal === undefined ? exit.error : decodeError(lane.fatal, [])
}

/** The failure of the calls that ran on it. `when`: what the worker was doing; running the call by default. */
export const workerLost = (lane: Lane, exit: LinkExit, when?: string): Failure => ({
  kind: "ours",
  lost: lane.lastWords ? "exact" : "unknown",
  build: (task, item) => {
    const cause = exitCause(lane, exit)
    return new WorkerLostError({
      exitCode: exit.exitCode,
      signal: exit.signal,
      workerId: lane.workerId ?? "unborn",
      reason: reasonOf(lane, exit),
      task,
      item,
      when,
      ...(cause === undefined ? {} : { cause })
    })
  }
})

/** Why a worker never became ready: its own error, what the backend saw, or that it ended. */
export const startCause = (lane: Lane, exit: LinkExit): unknown =>
  exitCause(lane, exit) ?? new WorkerLostError({
    exitCode: exit.exitCode,
    signal: exit.signal,
    workerId: lane.workerId ?? "unborn",
    reason: reasonOf(lane, exit),
    when: "before it was ready"
  })

/** What `onWorkerExit` is told. */
export const workerExit = (lane: Lane, exit: LinkExit): WorkerExit => ({
  workerId: lane.workerId,
  exitCode: exit.exitCode,
  signal: exit.signal,
  reason: lane.ended ? lane.leftBehind === undefined ? "stopped" : "uncaught" : reasonOf(lane, exit),
  forced: lane.forced,
  cause: exitCause(lane, exit) ?? (lane.leftBehind === undefined ? undefined : decodeError(lane.leftBehind.record)),
  leftBehindBy: lane.leftBehind?.call
})
