// The service under node:cluster: several processes listen on one port, each with an executor of its own.
//
//   node examples/work/production/cluster.ts

import cluster from "node:cluster"
import { availableParallelism } from "node:os"

const PROCESSES = 2

if (cluster.isPrimary) {
  // Executors do not know of each other: together they would start a worker per core and process.
  const maxWorkers = Math.max(1, Math.floor(availableParallelism() / PROCESSES))
  for (let count = 0; count < PROCESSES; count++) cluster.fork({ EXECUTOR_MAX_WORKERS: maxWorkers })
  // Not by a signal: one that reaches the whole service has reached them already, and a second one ends them at once.
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => cluster.disconnect())
} else {
  await import("./main.ts")
}
