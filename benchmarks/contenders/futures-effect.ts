/** Ours, Effect face: a fiber a call. */
import { Executor } from "@futures/core"
import { ProcessExecutor } from "@futures/process-executor"
import { ThreadExecutor } from "@futures/thread-executor"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import type { Adapter, Work } from "../src/contender.ts"
import { work } from "../tasks/futures.ts"

const tasks = work as unknown as Record<Work, typeof work.double>

export const open: Adapter["open"] = ({ kind, workers }) => {
  const backend = kind === "thread" ? ThreadExecutor : ProcessExecutor
  const runtime = ManagedRuntime.make(backend.layer({ maxWorkers: workers }))
  return {
    call: (name, argument) => runtime.runPromise(Executor.run(tasks[name], argument as number)),
    many: (name, count) =>
      runtime.runPromise(
        Effect.forEach(Array.from({ length: count }, (_, i) => i), (i) => Executor.run(tasks[name], i), {
          concurrency: "unbounded",
          discard: true
        })
      ),
    map: (name, items) =>
      runtime.runPromise(Stream.runFold(Executor.map(tasks[name], items), () => 0, (sum, value) => sum + value)),
    close: () => runtime.dispose()
  }
}
