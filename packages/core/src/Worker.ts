/**
 * The other side of the seam: what a backend's worker entry calls.
 *
 * ```ts
 * import { serve } from "@futures/core/Worker"
 * import { parentPort } from "node:worker_threads"
 *
 * const host = serve({
 *   sharesMemory: true,
 *   send: (frame, transfers) => parentPort!.postMessage(frame, transfers),
 *   end: () => process.exit(0)
 * })
 * parentPort!.on("message", host.receive)
 * ```
 */
import type { Frame } from "./wire/frames.ts"
import { Host } from "./worker/host.ts"
import type { WorkerPort } from "./worker/host.ts"
import { pipeOutput } from "./worker/output.ts"
import { process } from "./worker/process.ts"
import { becomeWorker, refusalAtExit } from "./worker/realm.ts"

export { encodeFrame, encodeParts, FrameReader } from "./wire/bytes.ts"
export { claimToStart as claim, isStopRequested } from "./wire/claims.ts"
export type { Frame, WorkerPort }

/** What a worker entry feeds. */
export interface Served {
  /** Takes a frame from the parent. */
  readonly receive: (frame: Frame) => void
  /** Reports an error to the parent as the reason why this worker ends, and ends it: for what cannot be read. */
  readonly fail: (error: unknown) => void
  /** Reports to the parent that this worker exits with this code. Called again when the code has changed. */
  readonly exits: (exitCode: number) => void
  /** Ends the worker if it has no calls; for a worker that the parent cannot reach at the moment. */
  readonly endIfIdle: () => void
  /** Ends the worker because its parent is gone: running tasks are asked to stop, then finalizers and exit hooks run. */
  readonly leave: () => void
}

/**
 * Serves calls beside whatever else this thread does: for a worker in the caller's own thread. It listens to nothing and takes nothing over, so an
 * uncaught error, an exit and what tasks write are the program's own.
 */
export const serveHere = (port: WorkerPort): Served => {
  const host = new Host(port)
  const fail = (error: unknown): void => {
    host.fatal(error)
    port.end()
  }
  return {
    receive: (frame) => host.receive(frame),
    endIfIdle: () => host.endIfIdle(),
    exits: (exitCode) => host.lastWords(exitCode),
    fail,
    leave: () => host.leave()
  }
}

const saysRejections = (argument: string): boolean => argument.includes("--unhandled-rejections")

/**
 * Serves calls in this thread or process, which is a worker from now on: its uncaught errors are told to the parent before it ends, and what tasks
 * write to stdout and stderr travels to the parent unless the executor's `stdio` is `"inherit"`.
 */
export const serve = (port: WorkerPort): Served => {
  const host = new Host(port)
  becomeWorker((text) => host.notice(text))
  const die = (error: unknown): void => {
    host.fatal(error)
    process.exit(1)
  }
  process.on("uncaughtException", (error) => {
    if (!host.leftBehind(error)) die(error)
  })
  // Node would raise it as an uncaught exception, outside of the context of the call. Whoever says what to do with rejections, the program's arguments or
  // a task with a listener of its own, is left to it.
  if (!process.execArgv.some(saysRejections) && !saysRejections(process.env["NODE_OPTIONS"] ?? "")) {
    process.on("unhandledRejection", (reason) => {
      if (process.listenerCount("unhandledRejection") > 1 || host.leftBehind(reason)) return
      die(reason)
    })
  }
  process.on("exit", (exitCode) => {
    const refusal = refusalAtExit(exitCode)
    if (refusal !== undefined) host.fatal(refusal)
    host.lastWords(exitCode)
  })
  return {
    endIfIdle: () => host.endIfIdle(),
    leave: () => host.leave(),
    exits: (exitCode) => host.lastWords(exitCode),
    fail: die,
    receive: (frame) => {
      host.receive(frame)
      if (host.setup?.pipeOutput === true) pipeOutput(host)
    }
  }
}
