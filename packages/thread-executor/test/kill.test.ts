import { Task } from "@futures/core"
import { ThreadExecutor } from "@futures/thread-executor"
import { expect, onTestFinished, test } from "vitest"
import { wait } from "./fixtures/tasks.ts"

test("Many calls that end one thread at the same time leave no listeners on it", async () => {
  const warnings: Array<Error> = []
  const listen = (warning: Error): void => void warnings.push(warning)
  process.on("warning", listen)
  onTestFinished(() => void process.off("warning", listen))
  await using executor = new ThreadExecutor({ maxWorkers: 1, concurrency: 20, grace: 5 })
  const futures = Array.from({ length: 20 }, () => executor.submit(Task.with(wait, { timeout: 20 })))
  for (const future of futures) await future.exception()
  // Warnings come a turn later.
  await new Promise((resolve) => setImmediate(resolve))
  expect(warnings).toEqual([])
})
