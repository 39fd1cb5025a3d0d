/** `parentPort` belongs to the tasks: frames cross on a port of their own. */
import { ThreadExecutor } from "@futures/thread-executor"
import { expect, test } from "vitest"
import { listen, said, silence } from "./fixtures/publicPort.ts"

test("A task that listens on parentPort receives no frame, and one that removes all listeners breaks nothing", async () => {
  await using executor = new ThreadExecutor({ maxWorkers: 1 })
  await executor.run(listen)
  expect(await executor.run(said)).toEqual([])
  await executor.run(silence)
  expect(await executor.run(said)).toEqual([])
})
