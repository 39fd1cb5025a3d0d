/** Bare threads: `postMessage`, a call a message or up to 256. */
import { once } from "node:events"
import { Worker } from "node:worker_threads"
import type { Adapter } from "../src/contender.ts"
import { barePool } from "./bare.ts"
import type { StartLine } from "./bare.ts"

const entry = new URL("workers/bare-thread.js", import.meta.url)

const start: StartLine = (answer) => {
  const worker = new Worker(entry)
  worker.on("message", answer)
  return { send: (batch) => worker.postMessage(batch), close: () => worker.terminate() }
}

export const open: Adapter["open"] = ({ long, variant, workers }) => {
  const short = variant === "batched" ? { batch: 256, window: 2 } : { batch: 1, window: Infinity }
  return {
    ...barePool(workers, long === true ? { batch: 1, window: 1 } : short, start),
    move: async (bytes) => {
      mover ??= new Worker(entry, { workerData: "move" })
      mover.unref()
      mover.postMessage(bytes, [bytes.buffer])
      const [value] = await once(mover, "message")
      return value
    }
  }
}

/** A worker that does nothing but hand back what it is given. */
let mover: Worker | undefined
