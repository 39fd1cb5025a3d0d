/** Calls that are tried again: each attempt stands for itself. */
import { Task } from "@futures/core"
import assert from "node:assert/strict"
import { law, laws } from "../Law.ts"
import { failFirst } from "../tasksModel.ts"
import { stopWhenAsked } from "../tasksSignals.ts"

export const attempts = laws("attempts", [
  law(
    "The run clock of an attempt ends with it, and counts neither the pause nor the next attempt",
    { promises: [7, 13] },
    async (trial) => {
      const executor = trial.open({ maxWorkers: 1 })
      // The module is loaded: what the clock counts is the task.
      await executor.submit(failFirst).wait()
      const again = Task.with(failFirst, { timeout: 300, retry: { times: 1, delay: 600 } })
      assert.equal(await executor.run(again), 2)
    }
  ),
  law(
    "A call that waits for its next attempt leaves whatever runs meanwhile alone",
    { promises: [5, 7, 13] },
    async (trial) => {
      const signals = await trial.signals()
      const word = signals.word()
      const executor = trial.open({ maxWorkers: 1, grace: 50 })
      await executor.submit(failFirst).wait()
      const again = executor.submit(Task.with(failFirst, { timeout: 200, retry: { times: 1, delay: 800 } }))
      const neighbour = executor.submit(stopWhenAsked, signals.port, word)
      await signals.heard(word)
      // A call that is handed in now runs when the neighbour has gone, and the clock of the first attempt has run out by then.
      await Promise.race([again.wait(), neighbour.wait({ timeout: 1_000 })])
      assert.equal(neighbour.state, "running")
      assert.equal(await neighbour.interrupt(), true)
      assert.equal(await again.result(), 2)
    }
  )
])
