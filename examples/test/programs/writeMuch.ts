/** Runs a task that writes 128 MiB, and reports by how many bytes the memory outside of V8's heap has grown at most. */
import { Task } from "@futures/core"
import { ProcessExecutor } from "@futures/process-executor"
import { ThreadExecutor } from "@futures/thread-executor"
import { once } from "node:events"

const CHUNK = 2 ** 16

export const { write } = Task.module(import.meta, {
  write: async (bytes: number) => {
    const chunk = Buffer.alloc(CHUNK, "x")
    for (let at = 0; at < bytes; at += CHUNK) if (!process.stdout.write(chunk)) await once(process.stdout, "drain")
  }
})

if (import.meta.main) {
  await using executor = new (process.argv[2] === "thread" ? ThreadExecutor : ProcessExecutor)({ maxWorkers: 1 })
  await executor.run(write, CHUNK)
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  const timer = setInterval(() => most = Math.max(most, process.memoryUsage().arrayBuffers - before), 5)
  await executor.run(write, 2 ** 27)
  clearInterval(timer)
  process.stderr.write(String(most))
}
