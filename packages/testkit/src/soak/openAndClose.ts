/** Executors that are opened, used and closed, one after another: nothing is left of them. */
import { withExecutor } from "@futures/core"
import type { Executor, ExecutorClass, ExecutorOptions } from "@futures/core"
import assert from "node:assert/strict"
import { identity } from "../tasks.ts"
import type { Censor } from "./census.ts"
import { sample, trendOf } from "./memory.ts"
import type { Sample } from "./memory.ts"
import type { Found } from "./soakFor.ts"

type Life = (executor: Executor) => Promise<void>

const use = async (executor: Executor): Promise<void> => {
  const futures = [executor.submit(identity, 1), executor.submit(identity, 2)]
  assert.deepEqual(await Promise.all(futures.map((future) => future.result())), [1, 2])
}

/** How executors live and end. */
const lives: ReadonlyArray<Life> = [
  async (executor) => {
    await use(executor)
    await executor.shutdown()
  },
  async (executor) => {
    await using used = executor
    await use(used)
  },
  async (executor) => {
    await withExecutor(executor, use)
  },
  async (executor) => {
    await use(executor)
    await executor.terminate()
  },
  async (executor) => {
    const future = executor.submit(identity, 1)
    await executor.shutdown({ cancelPending: true })
    assert.ok(future.done())
  },
  // Never used.
  (executor) => executor.shutdown()
]

const options: ReadonlyArray<ExecutorOptions> = [
  { maxWorkers: 1 },
  { maxWorkers: 2, idleTimeout: 0 },
  { maxWorkers: 1, minWorkers: 1, stacks: "submit" },
  { maxWorkers: 1, concurrency: 4, maxTasksPerWorker: 1, stdio: "inherit" }
]

/** So many samples are taken on the way. */
const SAMPLES = 50

export const openAndClose = async (Class: ExecutorClass, count: number, censor: Censor): Promise<Found> => {
  const samples: Array<Sample> = []
  const live = async (number: number): Promise<void> => {
    await lives[number % lives.length]!(new Class(options[number % options.length]))
  }
  for (let number = 0; number < lives.length; number++) await live(number)
  const before = await censor.settled()
  const every = Math.max(1, Math.floor(count / SAMPLES))
  for (let number = 0; number < count; number++) {
    await live(number)
    if (number % every === 0) samples.push(await sample())
  }
  const left = await censor.left(before)
  const trend = trendOf(samples)
  return {
    well: left.length === 0 && !trend.grew,
    lines: [
      `${count} executors opened and closed`,
      left.length === 0 ? "left: no child, thread, descriptor, listener, handle or timer" : `left: ${left.join("; ")}`,
      ...trend.lines
    ]
  }
}
