/** The executors that the examples can run on, by the names that EXECUTOR_BACKEND may say. */
import { ClusterExecutor } from "@futures/cluster-executor"
import { InlineExecutor } from "@futures/core"
import { ProcessExecutor } from "@futures/process-executor"
import { ThreadExecutor } from "@futures/thread-executor"

export const backends = {
  thread: ThreadExecutor,
  process: ProcessExecutor,
  inline: InlineExecutor,
  cluster: ClusterExecutor
}

/** The one to run on: `EXECUTOR_BACKEND=process node examples/03-timing.ts`. `Executor.open` refuses other names. */
export const backend = (process.env["EXECUTOR_BACKEND"] || "thread") as keyof typeof backends

/** Says what differs where there are no workers. */
export const onInline = (note: string): void => {
  if (backend === "inline") console.log(`(inline has no workers: ${note})`)
}
