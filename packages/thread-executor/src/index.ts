/** The executor on threads (`node:worker_threads`). Threads share memory, start fast and move buffers; a native crash in one ends the process. */
import { executorClass } from "@futures/core/Backend"
import type { Backend, LinkEvents, SpawnSpec } from "@futures/core/Backend"
import { Worker } from "node:worker_threads"

const thread: Backend = {
  name: "thread",
  sharesMemory: true,
  spawn: (spec: SpawnSpec, events: LinkEvents) => {
    const worker = new Worker(new URL(import.meta.resolve("@futures/thread-executor/worker")), {
      name: spec.name,
      env: spec.env,
      execArgv: [...spec.execArgv],
      ...(spec.resourceLimits === undefined ? {} : { resourceLimits: spec.resourceLimits })
    })
    let ended = false
    let error: unknown
    worker.on("message", events.frame)
    worker.on("error", (cause) => error = cause)
    // A frame that cannot be read here is a fault of the channel: nothing that this worker says can be trusted to be complete.
    worker.on("messageerror", (cause) => {
      error = cause
      void worker.terminate()
    })
    worker.on("exit", (exitCode) => {
      ended = true
      events.exit({ exitCode, error })
    })
    // Last: a listener for messages holds the process.
    worker.unref()
    return {
      workerId: worker.threadId,
      send: (frame, transfers) => {
        if (ended) return false
        worker.postMessage(frame, transfers)
        return true
      },
      kill: () => void worker.terminate()
    }
  }
}

/**
 * Runs tasks on threads.
 *
 * ```ts
 * await using executor = new ThreadExecutor({ maxWorkers: 4 })
 * console.log(await executor.submit(fib, 30).result())
 * ```
 */
export class ThreadExecutor extends executorClass(thread) {}
