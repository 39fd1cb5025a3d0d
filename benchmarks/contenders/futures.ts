/** Ours, Promise face, at the defaults. */
import { Executor, InlineExecutor, Task } from "@futures/core"
import { ProcessExecutor } from "@futures/process-executor"
import { ThreadExecutor } from "@futures/thread-executor"
import type { Adapter, Kind, Work } from "../src/contender.ts"
import { work } from "../tasks/futures.ts"

/** The cluster is loaded by those who want it: what its import costs is nobody else's. */
const backendsOf = async (kind: Kind) => ({
  inline: InlineExecutor,
  thread: ThreadExecutor,
  process: ProcessExecutor,
  ...(kind === "cluster" && { cluster: (await import("@futures/cluster-executor")).ClusterExecutor })
})
const tasks = work as unknown as Record<Work, Task.Of<(argument?: unknown) => unknown>>

export const open: Adapter["open"] = async ({ kind, variant, workers }) => {
  const executor = Executor.open(await backendsOf(kind), {
    backend: kind,
    maxWorkers: workers,
    minWorkers: variant === "warm" ? workers : 0
  })
  if (variant === "warm") await executor.ready()
  return {
    ...(kind === "inline" ? { distinct: 1 } : {}),
    call: (name, argument) => argument === undefined ? executor.run(tasks[name]) : executor.run(tasks[name], argument),
    map: async (name, items) => {
      let sum = 0
      for await (const value of executor.map(tasks[name], items)) sum += value as number
      return sum
    },
    ...(kind === "process" || kind === "cluster" ? {} : {
      move: (bytes) => executor.run(Task.with(work.move, { transfer: [bytes.buffer] }), bytes)
    }),
    cancelTenth: (name, count) => {
      const futures = Array.from({ length: count }, () => executor.submit(tasks[name]))
      const left = futures.filter((future, i) => i % 10 !== 0 || !future.cancel())
      return Promise.all(left.map((future) => future.result()))
    },
    close: () => executor.shutdown()
  }
}
