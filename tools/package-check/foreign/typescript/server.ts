/** TypeScript that is compiled to CommonJS. Tasks and program could also be one file: it would then start with `if (require.main === module)`. */
import type { Executor } from "@futures/core"
// What a classic resolution finds by `typesVersions`.
import type { Backend } from "@futures/core/Backend"
import type { Served } from "@futures/core/Worker"
import { ProcessExecutor } from "@futures/process-executor"
import { ThreadExecutor } from "@futures/thread-executor"
import assert from "node:assert/strict"
import { double, fib } from "./tasks"

export type Seam = readonly [Backend["name"], Served["endIfIdle"]]

const main = async (backend: "process" | "thread"): Promise<void> => {
  console.log(`serving from ${backend}`)
  const backends = { thread: ThreadExecutor, process: ProcessExecutor }
  const executor: Executor = new backends[backend]({ maxWorkers: 2, idleTimeout: "5 seconds" })
  const result: number = await executor.run(fib, 20)
  assert.equal(result, 6765)
  const doubled: Promise<number> = executor.run(double, 21)
  assert.equal(await doubled, 42)
  if (result < 0) {
    // @ts-expect-error a text is no number
    executor.submit(fib, "1")
    // @ts-expect-error the result is a number
    const wrong: Promise<string> = executor.run(fib, 1)
    void wrong
  }
  await executor.shutdown()
  console.log("served")
}

if (require.main === module) void main(process.argv[2] as "process" | "thread")
