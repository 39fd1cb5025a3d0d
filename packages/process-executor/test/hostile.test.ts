/** Tasks that mean harm, in processes; and processes that cannot be born. */
import { BrokenExecutorError, WorkerLostError } from "@futures/core"
import type { ExecutorOptions } from "@futures/core"
import { ProcessExecutor } from "@futures/process-executor"
import { hostile } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"
import { readdirSync } from "node:fs"
import { expect, onTestFinished, test } from "vitest"
import { close, sabotage, send, write } from "./fixtures/hostile.ts"
import { idle } from "./fixtures/lives.ts"

conformance({ name: "process", executor: ProcessExecutor }, { laws: [hostile(sabotage)] })

/** What a call at fault ends with; its neighbour, handed in at the same time, succeeds. */
const lost = async (body: (executor: ProcessExecutor) => Promise<unknown>): Promise<WorkerLostError> => {
  await using executor = new ProcessExecutor({ maxWorkers: 1 })
  const error = body(executor).then(() => undefined, (thrown: unknown) => thrown)
  const after = executor.submit(idle)
  expect(await error).toBeInstanceOf(WorkerLostError)
  expect(await after.result()).toBeTypeOf("number")
  return await error as WorkerLostError
}

const bytes = (...values: ReadonlyArray<number>): Uint8Array => new Uint8Array(values)

test.for<[string, Uint8Array]>([
  ["Nonsense", new TextEncoder().encode("nonsense, nonsense, nonsense")],
  ["A frame whose length nobody can have", bytes(255, 255, 255, 255)],
  ["A frame whose body is nonsense", bytes(4, 0, 0, 0, 1, 2, 3, 4)]
])("%s on the channel ends that worker, with the cause", async ([, written]) => {
  const error = await lost((executor) => executor.run(write, 4, written, false))
  expect(error).toMatchObject({ reason: "uncaught", signal: "SIGKILL" })
  expect(error.cause).toBeInstanceOf(Error)
})

test.for([["a text", "nonsense"], ["an object", { length: 3 }], ["nothing", null]])(
  "What is no frame (%s) on the channel ends that worker, with the cause",
  async ([, message]) => {
    const error = await lost((executor) => executor.run(send, message))
    expect(error).toMatchObject({ reason: "uncaught", signal: "SIGKILL" })
    expect(error.cause).toBeInstanceOf(TypeError)
  }
)

test("A frame that is cut off by the worker's end reaches no future", async () => {
  const error = await lost((executor) => executor.run(write, 4, bytes(100, 0, 0, 0, 96, 0, 0, 0, 255, 15), true))
  expect(error).toMatchObject({ reason: "exit", exitCode: 0 })
})

test("What a task writes where it only listens is read by nobody", async () => {
  await using executor = new ProcessExecutor({ maxWorkers: 1 })
  expect(await executor.run(write, 3, new TextEncoder().encode("nonsense"), false)).toBe("written")
  expect(await executor.run(write, 3, bytes(0), false)).toBe("written")
})

test.for([[[3]], [[4]], [[3, 4]]])(
  "A task that closes the descriptors %j loses its worker, and the executor goes on",
  async ([descriptors]) => {
    const error = await lost((executor) => executor.run(close, descriptors!))
    expect(error).toMatchObject({ reason: "signal", signal: "SIGKILL" })
  }
)

const descriptors = (): number => readdirSync("/dev/fd").length

/** That every call fails with that code, however often it is tried, and that nothing is left of the trials. */
const isBroken = async (code: string, options: ExecutorOptions = {}): Promise<void> => {
  const open: Array<number> = []
  for (let trial = 0; trial < 2; trial++) {
    const executor = new ProcessExecutor({ maxWorkers: 2, ...options })
    for (let call = 0; call < 2; call++) {
      const error = await executor.run(idle).then(() => undefined, (thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(BrokenExecutorError)
      expect((error as BrokenExecutorError).cause).toMatchObject({ code })
    }
    await executor.shutdown()
    expect(executor.stats().workers).toBe(0)
    // Node opens some of its own at the first.
    open.push(descriptors())
  }
  expect(open[1]).toBe(open[0])
}

test.for([["ENOENT", "/nowhere/node"], ["EACCES", "/"]])(
  "Processes that cannot be born (%s) break the executor, with the cause, and it ends",
  async ([code, file]) => {
    const { execPath } = process
    onTestFinished(() => {
      process.execPath = execPath
    })
    process.execPath = file!
    await isBroken(code!)
  }
)

test("An environment that is too large for a process breaks the executor, with the cause, and leaves nothing open", () =>
  isBroken("E2BIG", { env: { LARGE: "x".repeat(1 << 22) } }))
