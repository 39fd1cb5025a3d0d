/** A backend of one's own: threads, each at the other end of a `MessageChannel`. */
import { executorClass } from "@futures/core/Backend"
import type { Backend, LinkEvents, SpawnSpec } from "@futures/core/Backend"
import { MessageChannel, Worker } from "node:worker_threads"

const channel: Backend = {
  name: "channel",
  sharesMemory: true,
  spawn: (spec: SpawnSpec, events: LinkEvents) => {
    const { port1: here, port2: there } = new MessageChannel()
    const worker = new Worker(new URL("./worker.ts", import.meta.url), {
      name: spec.name,
      env: spec.env as NodeJS.Dict<string>,
      execArgv: [...spec.inheritedExecArgv, ...spec.execArgv],
      argv: [...spec.argv],
      workerData: there,
      transferList: [there]
    })
    let exitCode: number | undefined
    let error: unknown
    let closed = false
    let ended = false

    // The worker and its channel end apart: when the worker has exited, frames may still be on their way.
    const end = (): void => {
      if (ended || exitCode === undefined || !closed) return
      ended = true
      events.exit({ exitCode, error })
    }
    here.on("message", events.frame)
    here.on("messageerror", (cause) => {
      error = cause
      void worker.terminate()
    })
    here.on("close", () => {
      closed = true
      end()
    })
    worker.on("error", (cause) => error = cause)
    worker.on("exit", (code) => {
      exitCode = code
      end()
    })
    // The engine keeps the process alive while calls are pending; a link does not.
    here.unref()
    worker.unref()
    return {
      workerId: worker.threadId,
      send: (frame, transfers) => {
        if (ended) return false
        here.postMessage(frame, transfers)
        return true
      },
      kill: () => void worker.terminate()
    }
  }
}

/** Runs tasks on threads. */
export class ChannelExecutor extends executorClass(channel) {}
