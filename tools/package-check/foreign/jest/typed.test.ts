import { InlineExecutor } from "@futures/core"
import { ProcessExecutor } from "@futures/process-executor"
import { ThreadExecutor } from "@futures/thread-executor"
import { fib } from "./typed"

test("inline runs tasks that ts-jest compiled", async () => {
  const executor = new InlineExecutor()
  expect(await executor.run(fib, 10)).toBe(55)
  await executor.shutdown()
})

test.each([["thread", ThreadExecutor], ["process", ProcessExecutor]] as const)(
  "a %s loads them through tsx",
  async (_, Class) => {
    const executor = new Class({ maxWorkers: 1, execArgv: ["--import", "tsx"] })
    expect(await executor.run(fib, 10)).toBe(55)
    await executor.shutdown()
  }
)
