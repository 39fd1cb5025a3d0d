/** The executor on child processes: a crash, a leak or an endless loop in one stays there, and every one of them can be stopped. */
import type { Executor } from "@futures/core"
import { executorClass } from "@futures/core/Backend"
import type { ExecutorClass } from "@futures/core/Backend"
import { childProcesses } from "./backend.ts"
import { Watchdog } from "./Watchdog.ts"

/**
 * Runs tasks in child processes.
 *
 * ```ts
 * await using executor = new ProcessExecutor({ maxWorkers: 4 })
 * console.log(await executor.submit(fib, 30).result())
 * ```
 */
export const ProcessExecutor: ExecutorClass = executorClass(
  childProcesses(new Watchdog("/bin/sh")),
  "ProcessExecutor"
)
export type ProcessExecutor = Executor
