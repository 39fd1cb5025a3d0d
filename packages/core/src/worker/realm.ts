/** Whether this thread or process is a worker, and how a worker reports what the user of the program must know. */
import { currentTask } from "./context.ts"
import { process } from "./process.ts"

/**
 * Environment variable that a worker is started with. The worker's entry deletes it, so it is set only while `--import` and
 * `--require` modules run, and programs that a task starts never see it.
 */
export const STARTING = "FUTURES_WORKER_STARTING"

/** Sends a notice to the parent, which publishes it once as a warning. */
type Notify = (text: string) => void

const key = Symbol.for("@futures/core/worker")
const realm = globalThis as { [key]?: Notify | undefined }

/** From now on this thread or process is a worker. */
export const becomeWorker = (notify: Notify): void => {
  realm[key] = notify
  delete process.env[STARTING]
}

const isWorker = (): boolean => realm[key] !== undefined || process.env[STARTING] !== undefined

/**
 * Whether the running code belongs to a worker, but to no task: a module that loads, a `--import` module, or what they left behind.
 * Every worker runs that code again, so an executor that it starts would start executors without end.
 */
export const isOutsideOfTask = (): boolean => isWorker() && currentTask() === undefined

let refused: unknown

/** A call was refused because its executor was created in a worker: should this worker exit by itself, that is why. */
export const noteRefusal = (error: unknown): void => {
  refused ??= error
}

/** Why a worker exits outside of any task, if it is because of a refused call. */
export const refusalAtExit = (exitCode: number): unknown => exitCode !== 0 && isOutsideOfTask() ? refused : undefined

/** Reports something to the user of the program: through the parent, or by itself while the worker has no connection yet. */
export const notify = (text: string): void => {
  const send = realm[key]
  if (send === undefined) process.emitWarning(text, "FuturesWarning")
  else send(text)
}
