import { Task } from "@futures/core"
import { ThreadExecutor } from "@futures/thread-executor"
import { expect, test } from "vitest"
import { loadedModules } from "./fixtures/tasks.ts"

test("a worker is called as its executor is, with a number", async () => {
  const { task } = Task.from<{ task: () => string }>(
    new URL(
      "data:text/javascript,import { threadName } from 'node:worker_threads'; export const task = () => threadName"
    )
  )
  await using executor = new ThreadExecutor({ maxWorkers: 1, name: "resizer" })
  expect(await executor.run(task)).toBe("resizer-1")
})

test("a worker whose tasks import only Task loads neither Effect nor the engine", async () => {
  const recorder = import.meta.resolve("./fixtures/recorder.ts")
  await using executor = new ThreadExecutor({ maxWorkers: 1, execArgv: ["--import", recorder] })
  const loaded = await executor.run(loadedModules)
  const modules = loaded.filter((url) => !url.startsWith("node:"))
  expect(modules.some((url) => url.endsWith("/fixtures/tasks.ts"))).toBe(true)
  expect(modules.filter((url) => url.includes("/effect/") || url.includes("/src/engine/"))).toEqual([])
  expect(modules.length).toBeLessThanOrEqual(45)
  // Of those an import reads every property: each costs up to as much as all modules of ours.
  const costly = ["node:crypto", "node:fs", "node:module", "node:process", "node:util"]
  expect(loaded.filter((url) => costly.includes(url))).toEqual([])
})
