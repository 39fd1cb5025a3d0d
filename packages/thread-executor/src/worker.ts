/** What each thread runs. */
import { claim, isStopRequested, serve } from "@futures/core/Worker"
import { getHeapStatistics, takeCoverage } from "node:v8"
import { workerData } from "node:worker_threads"
import type { MessagePort } from "node:worker_threads"

// As it is at the start: a task may replace the global one, and `node:process` takes 4 ms to import.
const { process } = globalThis

/** All but `port` is shared with the parent, which reads `started` after this thread's death. */
const { claims, exited, port, started } = workerData as {
  readonly claims: Int32Array
  readonly exited: Int32Array
  readonly port: MessagePort
  readonly started: Float64Array
}
// Out of the tasks' reach.
for (const name of Object.keys(workerData)) delete workerData[name]
const hasExited = (): void => {
  // A program that exits at once does not leave Node the time to write it. Does nothing without NODE_V8_COVERAGE.
  takeCoverage()
  Atomics.store(exited, 0, 1)
  Atomics.notify(exited, 0)
}
// Behind all exit hooks, whoever exits.
const hooked = process as unknown as { reallyExit: (exitCode?: number) => never }
const { reallyExit } = hooked
hooked.reallyExit = (exitCode) => {
  hasExited()
  return reallyExit.call(process, exitCode)
}
const served = serve({
  sharesMemory: true,
  send: (frame, transfers) => port.postMessage(frame, transfers),
  end: () => {
    // An exit hook that throws keeps the others from running, and Node from exiting.
    try {
      process.exit(0)
    } finally {
      hasExited()
    }
  },
  claim: (wireId) => claim(claims, wireId),
  stopRequested: (wireId) => isStopRequested(claims, wireId),
  mark: (count) => {
    started[0] = count
  },
  memoryUsage: () => getHeapStatistics().used_heap_size
})
port.on("message", served.receive)
