/** What each thread runs. */
import { serve } from "@futures/core/Worker"
import { getHeapStatistics } from "node:v8"
import { parentPort, workerData } from "node:worker_threads"

// As it is at the start: a task may replace the global one, and `node:process` takes 4 ms to import.
const { process } = globalThis

const port = parentPort!
/** Shared with the parent, which reads it after this thread's death. */
const { started } = workerData as { readonly started: Float64Array }
const served = serve({
  sharesMemory: true,
  send: (frame, transfers) => port.postMessage(frame, transfers),
  end: () => process.exit(0),
  mark: (count) => {
    started[0] = count
  },
  memoryUsage: () => getHeapStatistics().used_heap_size
})
port.on("message", served.receive)
