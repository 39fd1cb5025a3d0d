/** Tasks that mean harm, on threads. */
import { Task, TaskTimeoutError } from "@futures/core"
import { hostile } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"
import { ThreadExecutor } from "@futures/thread-executor"
import { expect, test } from "vitest"
import { hangUp, sabotage, send } from "./fixtures/hostile.ts"

conformance({ name: "thread", executor: ThreadExecutor }, { laws: [hostile(sabotage)] })

test.for([["a text", "nonsense"], ["an object", { length: 3 }], ["nothing", null], ["an empty frame", []]])(
  "%s on the port is dropped and counted",
  async ([, message]) => {
    await using executor = new ThreadExecutor({ maxWorkers: 1 })
    expect(await executor.run(send, message)).toBe("sent")
    expect(executor.stats().strayFrames).toBe(1)
  }
)

test("A task that closes the port is ended by its clock, and the executor goes on", async () => {
  await using executor = new ThreadExecutor({ maxWorkers: 1, grace: 50 })
  const atFault = executor.submit(Task.with(hangUp, { timeout: 200 }))
  const after = executor.submit(send, "after")
  await expect(atFault.result()).rejects.toBeInstanceOf(TaskTimeoutError)
  expect(await after.result()).toBe("sent")
})
