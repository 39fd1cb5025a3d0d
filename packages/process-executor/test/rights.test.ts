/** What worker processes may do can be narrowed. */
import { ProcessExecutor } from "@futures/process-executor"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { evaluate, spawnIt, variable, writeIt } from "./fixtures/rights.ts"

test("Workers get the parent's environment with the option env over it; undefined takes a variable away", async () => {
  Object.assign(process.env, { FUTURES_KEPT: "kept", FUTURES_SECRET: "secret" })
  onTestFinished(() => {
    delete process.env["FUTURES_KEPT"]
    delete process.env["FUTURES_SECRET"]
  })
  await using executor = new ProcessExecutor({ maxWorkers: 1, env: { FUTURES_SECRET: undefined, FUTURES_NEW: "new" } })
  const names = ["FUTURES_KEPT", "FUTURES_SECRET", "FUTURES_NEW"]
  expect(await Promise.all(names.map((name) => executor.run(variable, name)))).toEqual(["kept", undefined, "new"])
})

test("Workers under --permission read what they are told they may, and write and spawn nothing", async () => {
  const directory = mkdtempSync(join(tmpdir(), "futures-rights-"))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  await using executor = new ProcessExecutor({ maxWorkers: 1, execArgv: ["--permission", "--allow-fs-read=*"] })
  expect(await executor.run(writeIt, join(directory, "file"))).toBe("ERR_ACCESS_DENIED")
  expect(await executor.run(spawnIt)).toBe("ERR_ACCESS_DENIED")
})

test("Nothing is evaluated from text: workers serve calls where Node forbids it", async () => {
  await using executor = new ProcessExecutor({
    maxWorkers: 1,
    execArgv: ["--disallow-code-generation-from-strings"]
  })
  expect(await executor.run(evaluate, "return 1")).toBe("EvalError")
})
