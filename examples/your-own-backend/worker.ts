/** What each thread runs. A file of its own: whatever it imports, every worker loads. */
import { serve } from "@futures/core/Worker"
import { getHeapStatistics } from "node:v8"
import { workerData } from "node:worker_threads"
import type { MessagePort } from "node:worker_threads"

const port = workerData as MessagePort
const served = serve({
  sharesMemory: true,
  send: (frame, transfers) => port.postMessage(frame, transfers),
  end: () => process.exit(0),
  memoryUsage: () => getHeapStatistics().used_heap_size
})
port.on("message", served.receive)
