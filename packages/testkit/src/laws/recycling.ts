/** Workers come, begin, grow old and go. */
import { BrokenExecutorError, WorkerLostError } from "@futures/core"
import type { WorkerExit } from "@futures/core"
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { failsWith, isIn, rejection } from "../expect.ts"
import { law, laws, property } from "../Law.ts"
import { add, note, who } from "../tasks.ts"
import { waitFor } from "../tasksSignals.ts"
import { begin, beginAs, beginBadly, beginRejected, grow, growAndWait } from "../tasksWorkers.ts"

/** Memory that every worker stays below, in bytes, until it grows. */
const PLENTY = 160 * 2 ** 20

export const recycling = laws("recycling", [
  law("When ready() resolves, minWorkers workers are up", { promises: [11] }, async (trial) => {
    const notebook = trial.notebook()
    const executor = trial.open({ maxWorkers: 2, minWorkers: 2, initializer: [begin, notebook.path] })
    await executor.ready()
    assert.deepEqual(notebook.lines(), ["begin", "begin"])
    assert.equal(executor.stats().workers, 2)
    assert.equal(await executor.run(add, 1, 2), 3)
    assert.equal(executor.stats().workers, 2)
  }),
  law(
    "Workers beyond minWorkers that are idle for idleTimeout end, and come back when there is work",
    { promises: [14] },
    async (trial) => {
      const signals = await trial.signals()
      const ended = Promise.withResolvers<WorkerExit>()
      const executor = trial.open({ maxWorkers: 2, minWorkers: 1, idleTimeout: 20, onWorkerExit: ended.resolve })
      for (let round = 0; round < 2; round++) {
        const words = [signals.word(), signals.word()]
        const futures = words.map((word) => executor.submit(waitFor, signals.port, word))
        await Promise.all(words.map(signals.heard))
        assert.equal(executor.stats().workers, 2)
        words.forEach(signals.release)
        assert.deepEqual(await Promise.all(futures.map((future) => future.result())), words)
        assert.equal((await ended.promise).reason, "stopped")
      }
    }
  ),
  law("With minWorkers 0 every idle worker ends, and the next call starts one", { promises: [14] }, async (trial) => {
    const ends: Array<() => void> = []
    const executor = trial.open({ maxWorkers: 1, idleTimeout: 10, onWorkerExit: () => ends.shift()!() })
    for (let round = 0; round < 2; round++) {
      const ended = new Promise<void>((resolve) => ends.push(resolve))
      assert.equal(await executor.run(add, round, 1), round + 1)
      await ended
      assert.equal(executor.stats().workers, 0)
    }
  }),
  law(
    "A worker runs maxTasksPerWorker calls, then another takes its place, and no call is lost",
    { promises: [5, 11] },
    async (trial) => {
      const notebook = trial.notebook()
      const exits: Array<string> = []
      const executor = trial.open({
        maxWorkers: 1,
        maxTasksPerWorker: 3,
        initializer: [begin, notebook.path],
        onWorkerExit: ({ reason }) => exits.push(reason)
      })
      const lines = ["0", "1", "2", "3", "4", "5", "6"]
      const futures = lines.map((line) => executor.submit(note, notebook.path, line))
      assert.deepEqual(await Promise.all(futures.map((future) => future.result())), lines)
      assert.deepEqual(notebook.lines(), ["begin", "0", "1", "2", "begin", "3", "4", "5", "begin", "6"])
      await executor.shutdown()
      assert.deepEqual(exits, ["stopped", "stopped", "stopped"])
    }
  ),
  property(
    "However soon workers are replaced, every call has its own result",
    { promises: [5, 8], runs: 3 },
    [fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 3 })],
    async (trial, maxTasksPerWorker, maxWorkers, concurrency) => {
      const executor = trial.open({ maxWorkers, maxTasksPerWorker, concurrency })
      const numbers = Array.from({ length: 4 }, (_, index) => index)
      assert.deepEqual(await Promise.all(numbers.map((n) => executor.run(add, n, 1))), numbers.map((n) => n + 1))
      await executor.shutdown()
    }
  ),
  law(
    "A worker that grew beyond memoryLimit is replaced, and its call has its result",
    { promises: [], needs: ["workers"] },
    async (trial) => {
      const ended = Promise.withResolvers<WorkerExit>()
      const executor = trial.open({ maxWorkers: 1, memoryLimit: PLENTY, onWorkerExit: ended.resolve })
      const before = await executor.run(who)
      assert.equal(await executor.run(who), before)
      await executor.run(grow, PLENTY)
      assert.equal((await ended.promise).reason, "stopped")
      assert.notEqual(await executor.run(who), before)
    }
  ),
  law(
    "A worker that uses twice its memoryLimit is ended at once, and its calls are lost",
    { promises: [8], needs: ["workers"] },
    async (trial) => {
      const executor = trial.open({ maxWorkers: 1, memoryLimit: PLENTY })
      await failsWith(executor.run(growAndWait, 2 * PLENTY), WorkerLostError, { reason: "out-of-memory" })
      assert.equal(await executor.run(add, 1, 2), 3)
    }
  ),
  law("The initializer runs once in each worker, before its first call", { promises: [11] }, async (trial) => {
    const notebook = trial.notebook()
    const executor = trial.open({ maxWorkers: 1, initializer: [begin, notebook.path, "with", 2, "arguments"] })
    const lines = ["0", "1", "2"]
    await Promise.all(lines.map((line) => executor.run(note, notebook.path, line)))
    assert.deepEqual(notebook.lines(), ["begin with 2 arguments", ...lines])
  }),
  law(
    "An initializer that fails breaks the executor, with its error, for calls that wait and calls to come",
    { promises: [9] },
    async (trial) => {
      const executor = trial.open({ maxWorkers: 1, initializer: [beginBadly, 7] })
      for (const future of [executor.submit(add, 1, 2), executor.submit(add, 3, 4)]) {
        const { cause } = await failsWith(future.result(), BrokenExecutorError)
        assert.ok(cause instanceof RangeError)
        assert.equal(cause.message, "a bad beginning")
        assert.equal((cause as RangeError & { code?: number }).code, 7)
      }
      const late = executor.submit(add, 5, 6)
      isIn(late, "failed")
      await failsWith(late.result(), BrokenExecutorError)
      await executor.ready()
      await executor.shutdown()
      const rejected = trial.open({ maxWorkers: 1, initializer: [beginRejected, "no"] })
      assert.equal((await failsWith(rejected.run(add, 1, 2), BrokenExecutorError)).cause, "no")
    }
  ),
  property(
    "An executor breaks when three starts in a row fail before any worker was up, and goes on after all fewer failures",
    { promises: [8, 9], runs: 6 },
    [fc.array(fc.boolean(), { maxLength: 6 })],
    async (trial, failing) => {
      const notebook = trial.notebook()
      const starts = `${failing.map((fails) => fails ? "x" : "o").join("")}o`
      const executor = trial.open({
        maxWorkers: 1,
        maxTasksPerWorker: 1,
        initializer: [beginAs, notebook.path, starts]
      })
      const calls = [0, 1, 2].map((n) => executor.submit(add, n, 1))
      if (starts.startsWith("xxx")) {
        for (const call of calls) {
          const { cause } = await failsWith(call.result(), BrokenExecutorError)
          assert.equal((cause as Error).message, "start 2")
        }
        assert.equal(notebook.lines().length, 3)
      } else {
        assert.deepEqual(await Promise.all(calls.map((call) => call.result())), [1, 2, 3])
        const third = [...starts.padEnd(9, "o").matchAll(/o/g)][2]!.index
        assert.equal(notebook.lines().length, third + 1)
      }
      await executor.terminate()
    }
  ),
  law(
    "Starts that fail again and again end no executor with a live worker, which runs every call",
    { promises: [8, 9] },
    async (trial) => {
      const signals = await trial.signals()
      const notebook = trial.notebook()
      const failed = Promise.withResolvers<void>()
      const causes: Array<unknown> = []
      const executor = trial.open({
        maxWorkers: 2,
        initializer: [beginAs, notebook.path, "ox"],
        onWorkerExit: ({ cause }) => {
          if (causes.push(cause) === 4) failed.resolve()
        }
      })
      const word = signals.word()
      const first = executor.submit(waitFor, signals.port, word)
      await signals.heard(word)
      const second = executor.submit(add, 1, 2)
      await failed.promise
      isIn(second, "pending")
      signals.release(word)
      assert.equal(await first.result(), word)
      assert.equal(await second.result(), 3)
      assert.deepEqual(
        causes.slice(0, 4).map((cause) => (cause as Error).message),
        [1, 2, 3, 4].map((n) => `start ${n}`)
      )
    }
  ),
  law(
    "ready() does not wait for a worker that fails to start again and again beside live ones",
    { promises: [9, 11] },
    async (trial) => {
      const notebook = trial.notebook()
      const executor = trial.open({ maxWorkers: 2, minWorkers: 2, initializer: [beginAs, notebook.path, "ox"] })
      await executor.ready()
      assert.ok(notebook.lines().length >= 4)
      assert.equal(await executor.run(add, 1, 2), 3)
    }
  ),
  law(
    "With minWorkers a failing initializer is heard of by the first call, whenever it comes",
    { promises: [9] },
    async (trial) => {
      const executor = trial.open({ maxWorkers: 1, minWorkers: 1, initializer: [beginBadly, 7] })
      await executor.ready()
      const error = await rejection(executor.run(add, 1, 2))
      assert.ok(error instanceof BrokenExecutorError)
    }
  )
])
