/** Tasks that compute without giving their thread back see `Task.current().stopRequested`, so to stop them costs no worker. */
import { CancelledError, Task, TaskTimeoutError } from "@futures/core"
import type { Executor } from "@futures/core"
import assert from "node:assert/strict"
import { collect, failsWith, isError, isIn, turn } from "../expect.ts"
import { law, laws } from "../Law.ts"
import { who } from "../tasks.ts"
import {
  computeBelow,
  computeFor,
  computeItem,
  computeThenNote,
  computeUntilStopped,
  lookWhileHeld,
  stopSeenAtOnce
} from "../tasksPolling.ts"
import { stopWhenAsked } from "../tasksSignals.ts"

/** Longer than any look takes: a worker that is ended after that did not see the request. */
const grace = "8 seconds"

/** Ways to stop a running call; each takes a function that submits it. */
const stops: Readonly<
  Record<string, (executor: Executor, submit: (signal?: AbortSignal) => Promise<void>) => Promise<unknown>>
> = {
  "an AbortSignal": async (_, submit) => {
    const controller = new AbortController()
    await submit(controller.signal)
    controller.abort()
  },
  "shutdown({ timeout })": async (executor, submit) => {
    await submit()
    await executor.shutdown({ timeout: 1 })
  },
  "terminate()": async (executor, submit) => {
    await submit()
    await executor.terminate()
  }
}

const stopped = Object.entries(stops).map(([name, stop]) =>
  law(
    `A task that computes sees that it is to stop, by ${name}, and its worker is not ended by force`,
    { promises: [7], needs: ["workers", "stop requests"] },
    async (trial) => {
      const signals = await trial.signals()
      const word = signals.word()
      const executor = trial.open({ maxWorkers: 1, grace })
      const calls: Array<Promise<unknown>> = []
      await stop(executor, async (signal) => {
        const future = executor.submit(Task.with(computeUntilStopped, { signal }), signals.port, word)
        calls.push(failsWith(future.result(), CancelledError))
        await signals.heard(word)
      })
      await Promise.all(calls)
      assert.equal(executor.stats().forced, 0)
    }
  )
)

export const polling = laws("polling", [
  law("A task that computes sees interrupt(), and its worker goes on", {
    promises: [7],
    needs: ["workers", "stop requests"]
  }, async (trial) => {
    const signals = await trial.signals()
    const executor = trial.open({ maxWorkers: 1, grace })
    const worker = await executor.run(who)
    for (let time = 0; time < 3; time++) {
      const word = signals.word()
      const future = executor.submit(computeUntilStopped, signals.port, word)
      await signals.heard(word)
      assert.equal(await future.interrupt(), true)
      isIn(future, "cancelled")
    }
    assert.equal(await executor.run(who), worker)
    assert.equal(executor.stats().forced, 0)
  }),
  law("A task that computes sees a request however short ago it was handed over", {
    promises: [7],
    needs: ["workers", "stop requests"]
  }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1, grace })
    await executor.run(computeFor, 0)
    for (let wait = 0; wait < 60; wait++) {
      const future = executor.submit(computeFor, Infinity)
      // Somewhere among these it leaves the queue, comes to its worker, and is started there.
      for (let step = 0; step < wait % 20; step++) await Promise.resolve()
      for (let step = 0; step < wait / 20; step++) await turn()
      assert.equal(await future.interrupt(), true)
      isIn(future, "cancelled")
    }
    assert.equal(executor.stats().forced, 0)
  }),
  ...stopped,
  law("A task that computes sees that its timeout is over, its signal is aborted then, and its worker goes on", {
    promises: [7, 13]
  }, async (trial) => {
    const notebook = trial.notebook()
    const executor = trial.open({ maxWorkers: 1, grace })
    const worker = await executor.run(who)
    for (let time = 0; time < 2; time++) {
      const timed = Task.with(computeThenNote, { timeout: 100 })
      await failsWith(executor.run(timed, notebook.path), TaskTimeoutError, { clock: "run", after: 100 })
    }
    assert.equal(await executor.run(who), worker)
    assert.deepEqual(notebook.lines(), ["true TaskTimeoutError", "true TaskTimeoutError"])
    assert.equal(executor.stats().forced, 0)
  }),
  law("An item that computes sees that its itemTimeout is over; the other items succeed, and the worker goes on", {
    promises: [7, 12, 13]
  }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1, grace })
    const items = Array.from({ length: 9 }, (_, index) => ({ index, computes: index === 4 }))
    const outcomes = await collect(executor.mapSettled(computeItem, items, { itemTimeout: 200, chunkSize: 3 }))
    for (const [index, outcome] of outcomes.entries()) {
      if (index === 4) isError(outcome.status === "rejected" && outcome.reason, TaskTimeoutError, { after: 200 })
      else assert.deepEqual(outcome.status === "fulfilled" && outcome.value, index)
    }
    assert.equal(outcomes.length, 9)
    assert.equal(executor.stats().forced, 0)
  }),
  law("A call that computes sees that the task that submitted it is to stop, also on one worker", {
    promises: [7, 17],
    needs: ["workers", "stop requests"]
  }, async (trial) => {
    const signals = await trial.signals()
    const executor = trial.open({ maxWorkers: 1, grace })
    const worker = await executor.run(who)
    const words = [signals.word(), signals.word()] as const
    const future = executor.submit(computeBelow, signals.port, words[0])
    await signals.heard(words[0])
    assert.equal(await future.interrupt(), true)
    await failsWith(future.result(), CancelledError, { reason: "interrupt" })
    const timed = executor.run(Task.with(computeBelow, { timeout: 500 }), signals.port, words[1])
    await failsWith(timed, TaskTimeoutError, { clock: "run", after: 500 })
    assert.equal(await executor.run(who), worker)
    assert.equal(executor.stats().forced, 0)
  }),
  law("Of calls on one worker only the one that is to stop sees so, and no later one", {
    promises: [7, 11]
  }, async (trial) => {
    const signals = await trial.signals()
    const [held, asked] = [signals.word(), signals.word()]
    const executor = trial.open({ maxWorkers: 1, concurrency: 2 })
    const neighbour = executor.submit(lookWhileHeld, signals.port, held)
    const future = executor.submit(stopWhenAsked, signals.port, asked)
    await Promise.all([held, asked].map(signals.heard))
    assert.equal(await future.interrupt({ grace }), true)
    assert.deepEqual(await Promise.all([1, 2, 3, 4].map(() => executor.run(stopSeenAtOnce))), Array(4).fill(false))
    signals.release(held)
    assert.equal(await neighbour.result(), false)
  })
])
