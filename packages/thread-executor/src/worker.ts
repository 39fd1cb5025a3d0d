/** What each thread runs. */
import { claim, serve } from "@futures/core/Worker"
import { getHeapStatistics } from "node:v8"
import { workerData } from "node:worker_threads"
import type { MessagePort } from "node:worker_threads"

// As it is at the start: a task may replace the global one, and `node:process` takes 4 ms to import.
const { process } = globalThis

/** `started` and `claims` are shared with the parent, which reads `started` after this thread's death. */
const { claims, port, started } = workerData as {
  readonly claims: Int32Array
  readonly port: MessagePort
  readonly started: Float64Array
}
// Out of the tasks' reach.
for (const name of Object.keys(workerData)) delete workerData[name]
const served = serve({
  sharesMemory: true,
  send: (frame, transfers) => port.postMessage(frame, transfers),
  end: () => process.exit(0),
  claim: (wireId) => claim(claims, wireId),
  mark: (count) => {
    started[0] = count
  },
  memoryUsage: () => getHeapStatistics().used_heap_size
})
port.on("message", served.receive)
