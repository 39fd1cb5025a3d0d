/** A worker that dies takes only what ran on it. */
import { BrokenExecutorError, Task, wait, WorkerLostError } from "@futures/core"
import type { WorkerExit } from "@futures/core"
import assert from "node:assert/strict"
import { failsWith, isError, isIn, rejection } from "../expect.ts"
import { law, laws } from "../Law.ts"
import { add, exit, exitWhenNegative, exitWhenRead, identity, throwLater, who } from "../tasks.ts"
import { waitFor } from "../tasksSignals.ts"

const needs = ["workers"] as const

export const crashes = laws("crashes", [
  law("A worker that exits under a task fails that task alone; those that wait run in another", {
    promises: [8],
    needs
  }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1 })
    const before = executor.submit(who)
    const lost = executor.submit(exit, 7)
    const after = executor.submit(who)
    const error = await failsWith(lost.result(), WorkerLostError, { exitCode: 7, reason: "exit" })
    assert.deepEqual([error.signal, error.workerId], [undefined, lost.info.workerId])
    isIn(lost, "failed")
    assert.notEqual(await before.result(), await after.result())
    assert.equal(executor.stats().workers, 1)
  }),
  law("A pool heals as often as it must", { promises: [8], needs }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1 })
    for (const code of [0, 1, 2, 3]) {
      await failsWith(executor.run(exit, code), WorkerLostError, { exitCode: code, reason: "exit" })
      assert.equal(await executor.run(add, code, 1), code + 1)
    }
  }),
  law("A worker that exits leaves the calls on other workers alone", { promises: [8], needs }, async (trial) => {
    const signals = await trial.signals()
    const word = signals.word()
    const held = trial.shared.submit(waitFor, signals.port, word)
    await signals.heard(word)
    await failsWith(trial.shared.run(exit, 5), WorkerLostError, { exitCode: 5 })
    isIn(held, "running")
    signals.release(word)
    assert.equal(await held.result(), word)
  }),
  law(
    "All calls that ran on a lost worker fail, each with an error of its own",
    { promises: [8], needs },
    async (trial) => {
      const signals = await trial.signals()
      const words = [signals.word(), signals.word()]
      const executor = trial.open({ maxWorkers: 1, concurrency: 3 })
      const neighbours = words.map((word) => executor.submit(waitFor, signals.port, word))
      await Promise.all(words.map(signals.heard))
      const lost = executor.submit(exit, 4)
      const waiting = executor.submit(add, 1, 2)
      const thrown = await Promise.all(
        [...neighbours, lost].map((future) => failsWith(future.result(), WorkerLostError, { exitCode: 4 }))
      )
      assert.equal(new Set(thrown).size, 3)
      assert.equal(await waiting.result(), 3)
    }
  ),
  law(
    "A worker that exits among quick calls loses one of them, and each other has its own result",
    { promises: [6, 8], needs },
    async (trial) => {
      const executor = trial.open({ maxWorkers: 1 })
      const numbers = Array.from({ length: 300 }, (_, index) => index)
      await Promise.all(numbers.map((n) => executor.run(exitWhenNegative, n)))
      const lost = new Set([20, 21, 150])
      const futures = numbers.map((n) => executor.submit(exitWhenNegative, lost.has(n) ? -n : n))
      await wait(futures)
      for (const [n, future] of futures.entries()) {
        if (lost.has(n)) await failsWith(future.result(), WorkerLostError, { exitCode: n })
        else assert.equal(await future.result(), n)
      }
    }
  ),
  law(
    "An error that nobody catches in a worker is the cause of what is lost",
    { promises: [8], needs },
    async (trial) => {
      const executor = trial.open({ maxWorkers: 1 })
      const error = await failsWith(executor.run(throwLater, "nobody catches"), WorkerLostError, { reason: "uncaught" })
      assert.ok(error.cause instanceof RangeError)
      assert.equal(error.cause.message, "nobody catches")
      assert.equal(await executor.run(add, 1, 2), 3)
    }
  ),
  law("A worker that exits while its result is read, or its module loads, fails that call alone", {
    promises: [8],
    needs
  }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1 })
    await failsWith(executor.run(exitWhenRead, 6), WorkerLostError, { exitCode: 6 })
    const { task } = Task.from<{ task: () => number }>(new URL("data:text/javascript,process.exit(9)"))
    await failsWith(executor.run(task), WorkerLostError, { exitCode: 9 })
    assert.equal(await executor.run(add, 1, 2), 3)
  }),
  law(
    "Exits under calls with large arguments lose those calls, and hold up no other",
    { promises: [5, 8], needs },
    async (trial) => {
      const large = new Uint8Array(300_000).fill(1)
      const futures = Array.from({ length: 3 }, (_, index) => ({
        good: trial.shared.submit(identity, large),
        lost: trial.shared.submit(
          exit as (code: number, ...more: ReadonlyArray<unknown>) => never as typeof exit,
          index + 1
        )
      }))
      for (const [index, { good, lost }] of futures.entries()) {
        await failsWith(lost.result(), WorkerLostError, { exitCode: index + 1 })
        assert.deepEqual(await good.result(), large)
      }
    }
  ),
  law(
    "Workers that cannot start break the executor, with the cause, for every call",
    { promises: [9], needs },
    async (trial) => {
      const module = `data:text/javascript,${encodeURIComponent("throw new RangeError('cannot start')")}`
      const executor = trial.open({ maxWorkers: 2, execArgv: ["--import", module] })
      const futures = [executor.submit(add, 1, 2), executor.submit(add, 3, 4), executor.submit(add, 5, 6)]
      for (const future of futures) {
        const error = await failsWith(future.result(), BrokenExecutorError)
        assert.notEqual(error.cause, undefined)
      }
      const late = executor.submit(add, 7, 8)
      isIn(late, "failed")
      await failsWith(late.result(), BrokenExecutorError)
      await executor.shutdown()
    }
  ),
  law("A worker that exits before it is ready is the cause, and onWorkerExit hears of each", {
    promises: [9],
    needs
  }, async (trial) => {
    const exits: Array<WorkerExit> = []
    const executor = trial.open({
      maxWorkers: 1,
      execArgv: ["--import", "data:text/javascript,process.exit(4)"],
      onWorkerExit: (ended) => exits.push(ended)
    })
    const { cause } = await failsWith(executor.run(add, 1, 2), BrokenExecutorError)
    isError(cause, WorkerLostError, { exitCode: 4, reason: "exit" })
    await executor.shutdown()
    assert.ok(exits.length > 0)
    for (const { exitCode, reason } of exits) assert.deepEqual({ exitCode, reason }, { exitCode: 4, reason: "exit" })
  }),
  law(
    "A worker that is not ready within startTimeout counts as one that cannot start",
    { promises: [9], needs },
    async (trial) => {
      const module = `data:text/javascript,${
        encodeURIComponent("await new Promise(() => setInterval(() => {}, 1000))")
      }`
      const executor = trial.open({ maxWorkers: 1, startTimeout: 100, execArgv: ["--import", module] })
      await failsWith(executor.run(add, 1, 2), BrokenExecutorError)
      await executor.shutdown()
      assert.equal(executor.stats().workers, 0)
    }
  ),
  law("A call that was lost is not run again", { promises: [6, 8], needs }, async (trial) => {
    const future = trial.shared.submit(exit, 2)
    await rejection(future.result())
    assert.equal(future.info.attempt, 1)
    await trial.shared.run(add, 1, 2)
    isIn(future, "failed")
  })
])
