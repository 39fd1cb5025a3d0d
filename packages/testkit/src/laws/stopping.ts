/** Stopping a call: by asking, then by force. */
import { CancelledError, Task, TaskTimeoutError, WorkerLostError } from "@futures/core"
import assert from "node:assert/strict"
import { failsWith, isIn } from "../expect.ts"
import { law, laws } from "../Law.ts"
import { add, context, note } from "../tasks.ts"
import { untilAsked } from "../tasksModel.ts"
import { answerWhenAsked, ignoreAsking, spin, stopWhenAsked, waitFor } from "../tasksSignals.ts"

export const stopping = laws("stopping", [
  law(
    "interrupt() lets a running task clean up, and resolves true once it has stopped",
    { promises: [7] },
    async (trial) => {
      const signals = await trial.signals()
      const word = signals.word()
      const future = trial.single.submit(stopWhenAsked, signals.port, word)
      await signals.heard(word)
      assert.equal(await future.interrupt({ grace: "15 seconds" }), true)
      assert.deepEqual(signals.words(), [word, `${word} cleaned up`])
      isIn(future, "cancelled")
      await failsWith(future.result(), CancelledError, { reason: "interrupt" })
      assert.equal(await trial.single.run(add, 1, 2), 3)
    }
  ),
  law(
    "A task that returns normally after it was asked to stop is still cancelled",
    { promises: [7] },
    async (trial) => {
      const signals = await trial.signals()
      const word = signals.word()
      const future = trial.single.submit(answerWhenAsked, signals.port, word)
      await signals.heard(word)
      assert.equal(await future.interrupt({ grace: "15 seconds" }), true)
      isIn(future, "cancelled")
    }
  ),
  law("interrupt() reaches a call however short ago it was handed over", { promises: [5, 7] }, async (trial) => {
    await trial.single.run(add, 1, 2)
    for (let wait = 0; wait < 40; wait++) {
      const future = trial.single.submit(untilAsked, wait)
      // Somewhere among these it leaves the queue, and may not have come to its worker.
      for (let step = 0; step < wait; step++) await Promise.resolve()
      assert.equal(await future.interrupt({ grace: "1 hour" }), true)
      isIn(future, "cancelled")
    }
  }),
  law("interrupt() of a pending call cancels it, and it never runs", { promises: [6, 7] }, async (trial) => {
    const signals = await trial.signals()
    const notebook = trial.notebook()
    const word = signals.word()
    const holder = trial.single.submit(waitFor, signals.port, word)
    await signals.heard(word)
    const future = trial.single.submit(note, notebook.path, "ran")
    assert.equal(await future.interrupt(), true)
    isIn(future, "cancelled")
    await failsWith(future.result(), CancelledError, { reason: "interrupt" })
    signals.release(word)
    await holder.result()
    await trial.single.run(note, notebook.path, "after")
    assert.deepEqual(notebook.lines(), ["after"])
  }),
  law("interrupt() of a settled call answers false and changes nothing", { promises: [5, 7] }, async (trial) => {
    const future = trial.shared.submit(add, 1, 2)
    await future.result()
    assert.equal(await future.interrupt(), false)
    isIn(future, "succeeded")
    assert.equal(await future.result(), 3)
  }),
  law("interrupt() asked twice is answered twice, and stops the call once", { promises: [5, 7] }, async (trial) => {
    const signals = await trial.signals()
    const word = signals.word()
    const future = trial.single.submit(stopWhenAsked, signals.port, word)
    await signals.heard(word)
    const answers = await Promise.all([future.interrupt(), future.interrupt(), future.interrupt()])
    assert.deepEqual(answers, [true, true, true])
    assert.deepEqual(signals.words(), [word, `${word} cleaned up`])
    assert.equal(await future.interrupt(), false)
  }),
  law(
    "A call with a run clock that is interrupted is cancelled, not timed out",
    { promises: [5, 13] },
    async (trial) => {
      const signals = await trial.signals()
      const word = signals.word()
      const future = trial.single.submit(Task.with(stopWhenAsked, { timeout: "1 minute" }), signals.port, word)
      await signals.heard(word)
      assert.equal(await future.interrupt(), true)
      await failsWith(future.result(), CancelledError, { reason: "interrupt" })
    }
  ),
  law("interrupt() ends the worker of a task that does not listen, and waiting calls run in another", {
    promises: [7, 8],
    needs: ["workers"]
  }, async (trial) => {
    const signals = await trial.signals()
    const word = signals.word()
    const executor = trial.open({ maxWorkers: 1, grace: 20 })
    const future = executor.submit(ignoreAsking, signals.port, word)
    const waiting = executor.submit(add, 1, 2)
    await signals.heard(word)
    isIn(waiting, "pending")
    assert.equal(await future.interrupt(), true)
    isIn(future, "cancelled")
    assert.equal(await waiting.result(), 3)
  }),
  law(
    "interrupt() ends the worker of a task that never gives its thread back",
    { promises: [7], needs: ["workers"] },
    async (trial) => {
      const signals = await trial.signals()
      const word = signals.word()
      const executor = trial.open({ maxWorkers: 1 })
      const future = executor.submit(spin, signals.port, word)
      await signals.heard(word)
      assert.equal(await future.interrupt({ grace: 0 }), true)
      isIn(future, "cancelled")
      assert.equal(await executor.run(add, 1, 2), 3)
    }
  ),
  law("A run clock ends the worker of a task that never gives its thread back", {
    promises: [7, 13],
    needs: ["workers"]
  }, async (trial) => {
    const { port, word } = await trial.signals()
    const executor = trial.open({ maxWorkers: 1, grace: 20 })
    const future = executor.submit(Task.with(spin, { timeout: 50 }), port, word())
    await failsWith(future.result(), TaskTimeoutError, { clock: "run", after: 50 })
    assert.equal(await executor.run(add, 1, 2), 3)
  }),
  law("A call that stops when it is asked leaves those that run beside it on its worker alone", {
    promises: [7, 11]
  }, async (trial) => {
    const signals = await trial.signals()
    const [held, asked] = [signals.word(), signals.word()]
    const executor = trial.open({ maxWorkers: 1, concurrency: 2 })
    const neighbour = executor.submit(waitFor, signals.port, held)
    const future = executor.submit(stopWhenAsked, signals.port, asked)
    await Promise.all([held, asked].map(signals.heard))
    assert.equal(await future.interrupt({ grace: "15 seconds" }), true)
    isIn(neighbour, "running")
    signals.release(held)
    assert.equal(await neighbour.result(), held)
  }),
  law("A forced stop takes along what runs beside it on its worker, and what waits moves", {
    promises: [7, 8],
    needs: ["workers"]
  }, async (trial) => {
    const signals = await trial.signals()
    const [held, ignoring] = [signals.word(), signals.word()]
    const executor = trial.open({ maxWorkers: 1, concurrency: 2 })
    const neighbour = executor.submit(waitFor, signals.port, held)
    const future = executor.submit(ignoreAsking, signals.port, ignoring)
    await Promise.all([held, ignoring].map(signals.heard))
    const waiting = executor.submit(add, 1, 2)
    assert.equal(await future.interrupt({ grace: 0 }), true)
    isIn(future, "cancelled")
    await failsWith(neighbour.result(), WorkerLostError, { workerId: neighbour.info.workerId! })
    assert.equal(await waiting.result(), 3)
  }),
  law(
    "A forced stop leaves the calls on other workers alone",
    { promises: [7, 8], needs: ["workers"] },
    async (trial) => {
      const signals = await trial.signals()
      const [held, ignoring] = [signals.word(), signals.word()]
      const executor = trial.open({ maxWorkers: 2 })
      const neighbour = executor.submit(waitFor, signals.port, held)
      const future = executor.submit(ignoreAsking, signals.port, ignoring)
      await Promise.all([signals.heard(held), signals.heard(ignoring)])
      assert.equal(await future.interrupt({ grace: 0 }), true)
      isIn(neighbour, "running")
      signals.release(held)
      assert.equal(await neighbour.result(), held)
    }
  ),
  law(
    "Inside a task, Task.current() knows its call; outside of one there is none",
    { promises: [7] },
    async (trial) => {
      const future = trial.shared.submit(context)
      const known = await future.result()
      assert.deepEqual(known, { id: future.info.id, attempt: 1, workerId: future.info.workerId, aborted: false })
      assert.equal(context(), undefined)
      assert.equal(Task.current(), undefined)
    }
  )
])
