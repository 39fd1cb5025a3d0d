/** Diagnostic reports and profiles of workers are written where the user asked, although a worker also reports a full heap to its parent. */
import { ProcessExecutor } from "@futures/process-executor"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { hoard } from "./fixtures/ends.ts"
import { report, reportInto, settings, signalSelf } from "./fixtures/reports.ts"

const directory = (): string => {
  const path = mkdtempSync(join(tmpdir(), "futures-reports-"))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

const open = (...execArgv: ReadonlyArray<string>): ProcessExecutor =>
  new ProcessExecutor({ maxWorkers: 1, execArgv: ["--max-old-space-size=40", ...execArgv] })

test("A report that a task writes goes where the flags say, and has what the flags say", async () => {
  const path = directory()
  await using executor = open(`--report-directory=${path}`, "--report-filename=mine.json")
  expect(await executor.run(report)).toBe("mine.json")
  expect(JSON.parse(readFileSync(join(path, "mine.json"), "utf8"))).toHaveProperty("environmentVariables")
})

test("A task that sets a directory gets its report there", async () => {
  const path = directory()
  await using executor = open()
  const name = await executor.run(reportInto, path)
  expect(readdirSync(path)).toEqual([name])
  expect(name).toMatch(/^report\..*\.json$/)
})

test("Tasks see the settings that a program without an executor has", async () => {
  await using executor = open()
  expect(await executor.run(settings)).toEqual({
    compact: process.report.compact,
    directory: "",
    excludeNetwork: false,
    filename: "",
    reportOnFatalError: false,
    reportOnSignal: false
  })
})

test("A signal makes a report where the flags say (--report-on-signal)", async () => {
  const path = directory()
  await using executor = open("--report-on-signal", `--report-directory=${path}`)
  await executor.run(signalSelf)
  expect(readdirSync(path)).toHaveLength(1)
})

test("A task may turn reports on signals on", async () => {
  const path = directory()
  await using executor = open()
  await executor.run(signalSelf, path)
  expect(readdirSync(path)).toHaveLength(1)
})

test.for([[], ["--report-on-signal"], ["--report-directory=/"]])(
  "A full heap is still recognised, with %s",
  async (flags) => {
    await using executor = open(...flags)
    await expect(executor.run(hoard)).rejects.toMatchObject({ _tag: "WorkerLostError", reason: "out-of-memory" })
  }
)
