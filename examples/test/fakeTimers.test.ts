/** Tests that fake their timers may use executors. `docs/testing-your-tasks.md` says so. */
import { InlineExecutor } from "@futures/core"
import { ProcessExecutor } from "@futures/process-executor"
import { ThreadExecutor } from "@futures/thread-executor"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { square } from "../tasks/numbers.ts"

describe.each([InlineExecutor, ThreadExecutor, ProcessExecutor])("%o", (Executor) => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "performance", "Date"] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it("answers single calls, many calls and a map, and shuts down", async () => {
    const executor = new Executor({ maxWorkers: 2 })
    expect(await executor.run(square, 3)).toBe(9)
    const results = await Promise.all(Array.from({ length: 500 }, (_, n) => executor.run(square, n)))
    expect(results.at(-1)).toBe(499 ** 2)
    let items = 0
    for await (const _ of executor.map(square, Array.from({ length: 5_000 }, (__, n) => n))) items++
    expect(items).toBe(5_000)
    await executor.shutdown()
  })
})
