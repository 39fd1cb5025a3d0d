import { Task } from "@futures/core"
import { ProcessExecutor } from "@futures/process-executor"
import { basename } from "node:path"
import { expect, test } from "vitest"
import { loadedModules } from "./fixtures/tasks.ts"

const { facts } = Task.from<{ facts: () => Record<string, unknown> }>(
  new URL(
    "data:text/javascript,export const facts = () => ({ argv: process.argv, argv0: process.argv0, title: process.title })"
  )
)

test("A worker has the executor's name with a number in lists of processes, and Node's own name in Node's hints", async () => {
  await using executor = new ProcessExecutor({ maxWorkers: 1, name: "resizer" })
  const { argv, argv0, title } = await executor.run(facts)
  expect(title).toBe("resizer-1")
  // Warnings say "Use `node --trace-warnings ...`", after the name in `argv0`.
  expect(basename(argv0 as string)).toBe(basename(process.execPath))
  expect(argv).toEqual([process.execPath, expect.stringContaining("worker")])
})

test("A title that the user asked for is kept", async () => {
  await using executor = new ProcessExecutor({ maxWorkers: 1, execArgv: ["--title", "mine"] })
  expect(await executor.run(facts)).toMatchObject({ title: "mine" })
})

test("a worker whose tasks import only Task loads neither Effect nor the engine", async () => {
  const recorder = import.meta.resolve("./fixtures/recorder.ts")
  await using executor = new ProcessExecutor({ maxWorkers: 1, execArgv: ["--import", recorder] })
  const loaded = await executor.run(loadedModules)
  const modules = loaded.filter((url) => !url.startsWith("node:"))
  expect(modules.some((url) => url.endsWith("/fixtures/tasks.ts"))).toBe(true)
  expect(modules.filter((url) => url.includes("/effect/") || url.includes("/src/engine/"))).toEqual([])
  expect(modules.length).toBeLessThanOrEqual(50)
  // Of those an import reads every property: each costs up to as much as all modules of ours.
  const costly = ["node:crypto", "node:fs", "node:module", "node:process", "node:util"]
  expect(loaded.filter((url) => costly.includes(url))).toEqual([])
})
