/** Flags of the program that Node refuses for a thread are left out with their values, and nothing else is. */
import { Task } from "@futures/core"
import { ThreadExecutor } from "@futures/thread-executor"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import { expect, onTestFinished, test } from "vitest"

const list = fileURLToPath(new URL("../../core/test/fixtures/listFlags.cjs", import.meta.url))
const { stdout } = spawnSync(process.execPath, ["--expose-internals", "--no-warnings", list], { encoding: "utf8" })
const flags = JSON.parse(stdout) as ReadonlyArray<readonly [name: string, takesValue: boolean]>

/** No thread is started: a flag that nobody knows follows. Node names it only if the flag before it was accepted. */
const isRefused = (...flag: ReadonlyArray<string>): boolean => {
  try {
    void new Worker("", { eval: true, execArgv: [...flag, "--no-such-flag-here"] }).terminate()
    return false
  } catch (error) {
    return (error as Error).message.endsWith(`: ${flag[0]}`)
  }
}

const refused = flags.filter(([name, takesValue]) => isRefused(name, ...takesValue ? ["1"] : []))

const { execArgv } = Task.from<{ execArgv: () => Array<string> }>(
  new URL("data:text/javascript,export const execArgv = () => process.execArgv")
)

test("Every flag that Node refuses for a thread is left out with its value, in both forms", async () => {
  expect(refused.map(([name]) => name)).toEqual(
    expect.arrayContaining(["--title", "--secure-heap", "--icu-data-dir", "--disable-proto", "--v8-pool-size"])
  )
  const before = process.execArgv
  onTestFinished(() => {
    process.execArgv = before
  })
  const kept = ["--import", "data:text/javascript,", "--conditions", "own"]
  const forms = [
    refused.flatMap(([name, takesValue]) => takesValue ? [name, "1"] : [name]),
    refused.map(([name, takesValue]) => takesValue ? `${name}=1` : name)
  ]
  for (const form of forms) {
    process.execArgv = [...form, ...kept]
    await using executor = new ThreadExecutor({ maxWorkers: 1, execArgv: ["--no-warnings"] })
    expect(await executor.run(execArgv)).toEqual([...kept, "--conditions=futures-worker", "--no-warnings"])
  }
})

test("Options that Object.prototype has do not reach workers", async () => {
  const { limits } = Task.from<{ limits: () => unknown }>(
    new URL(
      "data:text/javascript,import { resourceLimits } from 'node:worker_threads'; export const limits = () => resourceLimits"
    )
  )
  const run = async (): Promise<unknown> => {
    await using executor = new ThreadExecutor({ maxWorkers: 1 })
    return await executor.run(limits)
  }
  const expected = await run()
  const names = {
    resourceLimits: { maxOldGenerationSizeMb: 64 },
    argv: ["x"],
    execArgv: ["--no-such-flag"],
    stdin: true
  }
  for (const [name, value] of Object.entries(names)) {
    // oxlint-disable-next-line no-extend-native -- what the test is about
    Object.defineProperty(Object.prototype, name, { configurable: true, value })
  }
  try {
    expect(await run()).toEqual(expected)
  } finally {
    for (const name of Object.keys(names)) Reflect.deleteProperty(Object.prototype, name)
  }
})
