/** What a program may do with all workers, or all pending calls, while the executor stays open. */
import { CancelledError, Executor, QueueFullError, Task } from "@futures/core"
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { availableParallelism } from "node:os"
import { failsWith, isError, isIn, rejection } from "../expect.ts"
import { failure, on } from "../faces.ts"
import { law, laws, property } from "../Law.ts"
import { add, double, exit, note, who } from "../tasks.ts"
import { waitFor } from "../tasksSignals.ts"
import { holdNumber, insideOut, workerNumber } from "../tasksWorkers.ts"

export const control = laws("control", [
  law("minWorkers above the default of maxWorkers raises it; a maxWorkers that was given stays", {
    promises: []
  }, async (trial) => {
    const more = availableParallelism() + 65
    const executor = trial.open({ minWorkers: more, maxWorkers: undefined })
    await executor.terminate()
    assert.throws(() => trial.open({ minWorkers: 3, maxWorkers: 2 }), {
      _tag: "InvalidOptionError",
      option: "minWorkers"
    })
  }),
  property(
    "An executor that rejects accepts in one turn as many calls as can start, or maxPending where that is more",
    { promises: [5, 11], runs: 12 },
    [fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 }), fc.integer({ min: 0, max: 6 })],
    async (trial, maxWorkers, concurrency, maxPending) => {
      const signals = await trial.signals()
      const executor = trial.open({ maxWorkers, concurrency, maxPending, whenFull: "reject" })
      const accepted = Math.max(maxWorkers * concurrency, maxPending)
      const words = Array.from({ length: accepted }, signals.word)
      const futures = words.map((word) => executor.submit(waitFor, signals.port, word))
      const refused = executor.submit(double, 1)
      await failsWith(refused.result(), QueueFullError, { maxPending })
      words.forEach(signals.release)
      assert.deepEqual(await Promise.all(futures.map((future) => future.result())), words)
      assert.equal(await executor.run(double, 2), 4)
      await executor.shutdown()
    }
  ),
  law("With maxPending 0 nothing waits: a call is refused while no worker is free, and ready() waits for one", {
    promises: [5, 11]
  }, async (trial) => {
    const signals = await trial.signals()
    const word = signals.word()
    const executor = trial.open({ maxWorkers: 1, maxPending: 0, whenFull: "reject" })
    const held = executor.submit(waitFor, signals.port, word)
    await signals.heard(word)
    const { message } = await failsWith(executor.run(double, 1), QueueFullError, { maxPending: 0 })
    assert.match(message, /no worker is free/)
    isError(await on(executor, failure(Executor.run(double, 1))), QueueFullError, { maxPending: 0 })
    let isReady = false
    const ready = executor.ready().then(() => isReady = true)
    assert.equal(isReady, false)
    signals.release(word)
    await held.result()
    await ready
    assert.equal(await executor.run(double, 2), 4)
  }),
  law("Calls that are submitted to idle workers start, though the caller blocks its thread next", {
    promises: [11],
    needs: ["workers"]
  }, async (trial) => {
    const notebook = trial.notebook()
    const executor = trial.open({ maxWorkers: 2, minWorkers: 2 })
    await executor.ready()
    // Loads the module in both.
    await Promise.all([executor.run(double, 1), executor.run(double, 2)])
    const futures = ["a", "b"].map((line) => executor.submit(note, notebook.path, line))
    const blocked = new Int32Array(new SharedArrayBuffer(4))
    for (let looks = 0; notebook.lines().length < 2 && looks < 1_000; looks++) Atomics.wait(blocked, 0, 0, 5)
    assert.deepEqual(notebook.lines().toSorted(), ["a", "b"])
    await Promise.all(futures.map((future) => future.result()))
  }),
  law("Workers have numbers from 0, which a task and info tell, and no two that live have the same", {
    promises: []
  }, async (trial) => {
    const signals = await trial.signals()
    const words = [signals.word(), signals.word(), signals.word()]
    const executor = trial.open({ maxWorkers: 3 })
    const held = words.map((word) => executor.submit(holdNumber, signals.port, word))
    await Promise.all(words.map(signals.heard))
    words.forEach(signals.release)
    const numbers = await Promise.all(held.map((future) => future.result()))
    assert.deepEqual(numbers.toSorted(), [0, 1, 2])
    assert.deepEqual(held.map(({ info }) => info.workerNumber), numbers)
    const later = executor.submit(workerNumber)
    assert.equal(await later.result(), later.info.workerNumber)
    assert.ok((await later.result()) < 3)
  }),
  law(
    "A worker that takes the place of another has its number",
    { promises: [], needs: ["workers"] },
    async (trial) => {
      const executor = trial.open({ maxWorkers: 1 })
      for (let round = 0; round < 2; round++) {
        assert.equal(await executor.run(workerNumber), 0)
        await rejection(executor.run(exit, 3))
        assert.equal(await executor.run(workerNumber), 0)
        await executor.recycle()
      }
    }
  ),
  law("cancelPending() cancels what has not started and tells how much; what runs goes on, and so does the executor", {
    promises: [6]
  }, async (trial) => {
    const signals = await trial.signals()
    const word = signals.word()
    const executor = trial.open({ maxWorkers: 1 })
    assert.equal(executor.cancelPending(), 0)
    const held = executor.submit(waitFor, signals.port, word)
    await signals.heard(word)
    const pending = [
      executor.submit(add, 1, 2),
      executor.submit(Task.with(add, { priority: 5 }), 1, 2),
      executor.submit(add, 3, 4)
    ]
    assert.equal(executor.cancelPending(), 3)
    for (const future of pending) {
      isIn(future, "cancelled")
      await failsWith(future.result(), CancelledError, { reason: "cancel" })
    }
    const after = executor.submit(double, 4)
    assert.equal(await on(executor, Executor.cancelPending), 1)
    isIn(after, "cancelled")
    const last = executor.submit(double, 5)
    signals.release(word)
    assert.deepEqual([await held.result(), await last.result()], [word, 10])
  }),
  law(
    "recycle() lets running calls finish, and calls submitted afterwards run",
    { promises: [5, 14] },
    async (trial) => {
      const signals = await trial.signals()
      const word = signals.word()
      const executor = trial.open({ maxWorkers: 2 })
      await executor.recycle()
      const held = executor.submit(waitFor, signals.port, word)
      await signals.heard(word)
      let isOver = false
      const recycled = executor.recycle().then(() => isOver = true)
      const again = executor.recycle()
      assert.equal(await executor.run(add, 1, 2), 3)
      assert.equal(isOver, false)
      isIn(held, "running")
      signals.release(word)
      await Promise.all([recycled, again])
      assert.equal(await held.result(), word)
      assert.equal(await on(executor, Executor.run(add, 3, 4)), 7)
      await on(executor, Executor.recycle)
      assert.equal(executor.stats().failed, 0)
    }
  ),
  law("After recycle() calls run in new workers, as many as before where they are kept", {
    promises: [14],
    needs: ["workers"]
  }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1, minWorkers: 1 })
    const before = await executor.run(who)
    const behind = executor.submit(who)
    const recycled = executor.recycle()
    const after = await executor.run(who)
    await recycled
    assert.notEqual(after, before)
    assert.ok([before, after].includes(await behind.result()))
    await executor.ready()
    assert.equal(executor.stats().workers, 1)
    assert.equal(await executor.run(who), after)
  }),
  law("A task can neither cancel the calls of others nor replace its worker", { promises: [17] }, async (trial) => {
    assert.deepEqual(await trial.shared.run(insideOut), ["InvalidStateError", "InvalidStateError"])
  })
])
