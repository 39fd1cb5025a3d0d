/** What each thread runs. */
import { serve } from "@futures/core/Worker"
import { getHeapStatistics } from "node:v8"
import { parentPort } from "node:worker_threads"

const port = parentPort!
const served = serve({
  sharesMemory: true,
  send: (frame, transfers) => port.postMessage(frame, transfers),
  end: () => process.exit(0),
  memoryUsage: () => getHeapStatistics().used_heap_size
})
port.on("message", served.receive)
