/** What an executor measures, for Effect programs. */
import { Executor, Task } from "@futures/core"
import * as ExecutorMetrics from "@futures/core/ExecutorMetrics"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import assert from "node:assert/strict"
import { occupy } from "../held.ts"
import { law, laws } from "../Law.ts"
import { add, exit } from "../tasks.ts"
import { throwUntil } from "../tasksAttempts.ts"
import { throwWhenOdd } from "../tasksErrors.ts"
import type { Trial } from "../Trial.ts"

let executors = 0

interface Series {
  readonly id: string
  readonly attributes: Readonly<Record<string, string>>
  readonly count: number
  readonly sum: number | undefined
}

/** Measures an executor of its own while the body runs. `read` answers what was measured under a metric's name, attributes first in order. */
const measured = async (
  trial: Trial,
  body: (executor: Executor, read: (metric: string) => ReadonlyArray<Series>) => Promise<void>
): Promise<void> => {
  const registry: Metric.MetricRegistry = new Map()
  const name = `measured-${++executors}`
  const program = Effect.gen(function*() {
    const context = yield* Effect.context<never>()
    const read = (metric: string): Array<Series> =>
      Metric.snapshotUnsafe(context)
        .filter(({ attributes, id }) => id === metric && attributes?.["futures.executor.name"] === name)
        .map(({ attributes, id, state }) => {
          const { count, sum } = state as { readonly count: number; readonly sum?: number }
          return { id, attributes: attributes ?? {}, count, sum }
        })
    yield* Effect.promise(() => body(trial.open({ name, maxWorkers: 1 }), read))
  })
  await Effect.runPromise(
    program.pipe(
      Effect.provide(ExecutorMetrics.layer),
      Effect.provideService(Metric.MetricRegistry, registry)
    )
  )
}

/** Counts by one of the attributes. */
const by = (series: ReadonlyArray<Series>, attribute: string): Record<string, number> =>
  Object.fromEntries(series.map(({ attributes, count }) => [attributes[attribute], count]))

export const metrics = laws("metrics", [
  law(
    "Calls are counted by their outcome, their task and the type of their error",
    { promises: [5] },
    async (trial) => {
      await measured(trial, async (executor, read) => {
        const holder = await occupy(trial, executor)
        const cancelled = executor.submit(add, 1, 2)
        cancelled.cancel()
        holder.release()
        await holder.future.result()
        for (const n of [2, 4]) assert.equal(await executor.run(throwWhenOdd, n), n)
        for (const n of [1, 3, 5]) await executor.submit(throwWhenOdd, n).exception()
        const calls = read("futures.calls")
        const of = (task: string): ReadonlyArray<Series> =>
          calls.filter(({ attributes }) => attributes["code.function.name"] === task)
        assert.deepEqual(by(of("throwWhenOdd"), "futures.call.outcome"), { succeeded: 2, failed: 3 })
        assert.deepEqual(by(of("add"), "futures.call.outcome"), { cancelled: 1 })
        const failed = of("throwWhenOdd").find(({ attributes }) => attributes["futures.call.outcome"] === "failed")!
        assert.equal(failed.attributes["error.type"], "RangeError")
        assert.equal(failed.attributes["unit"], "{call}")
      })
    }
  ),
  law("Waiting and running are measured in seconds, once for each call that ran and each attempt", {
    promises: [6]
  }, async (trial) => {
    await measured(trial, async (executor, read) => {
      const path = trial.notebook().path
      const started = performance.now()
      assert.equal(await executor.run(Task.with(throwUntil, { retry: 5 }), path, 3), 3)
      const seconds = (performance.now() - started) / 1_000
      const [wait, ...waits] = read("futures.call.wait.duration")
      const [run, ...runs] = read("futures.call.run.duration")
      assert.deepEqual([wait!.count, run!.count, waits, runs], [1, 3, [], []])
      assert.ok(wait!.sum! >= 0 && run!.sum! >= 0 && wait!.sum! + run!.sum! <= seconds)
      assert.deepEqual(by(read("futures.call.retries"), "error.type"), { RangeError: 2 })
    })
  }),
  law(
    "The depth of the queue, what runs and the workers are levels, and zero in the end",
    { promises: [14] },
    async (trial) => {
      await measured(trial, async (executor, read) => {
        const holder = await occupy(trial, executor)
        const waiting = [1, 2, 3].map((n) => executor.submit(add, n, n))
        const levels = (): Array<number | undefined> =>
          ["futures.call.pending", "futures.call.running", "futures.worker.count"].map((each) => read(each)[0]?.count)
        assert.deepEqual(levels(), [3, 1, 1])
        holder.release()
        await Promise.all([holder.future, ...waiting].map((future) => future.result()))
        await executor.shutdown()
        assert.deepEqual(levels(), [0, 0, 0])
        assert.deepEqual(read("futures.worker.restarts"), [])
      })
    }
  ),
  law(
    "A worker that takes the place of a lost one is counted",
    { promises: [8], needs: ["workers"] },
    async (trial) => {
      await measured(trial, async (executor, read) => {
        for (const code of [3, 4]) await executor.submit(exit, code).exception()
        assert.equal(await executor.run(add, 1, 2), 3)
        assert.equal(read("futures.worker.restarts")[0]?.count, 2)
      })
    }
  )
])
