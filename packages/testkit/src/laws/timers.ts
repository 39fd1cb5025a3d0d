/** Programs whose timers and clocks are replaced, as tests do: nothing of an executor follows them. */
import { Task, TaskTimeoutError, wait } from "@futures/core"
import type { Executor } from "@futures/core"
import assert from "node:assert/strict"
import { collect, failsWith, turn } from "../expect.ts"
import { holdTimers } from "../heldTimers.ts"
import { law, laws } from "../Law.ts"
import { double, identity } from "../tasks.ts"
import { throwUntil } from "../tasksAttempts.ts"
import { answer } from "../tasksEffect.ts"
import { untilAsked } from "../tasksModel.ts"
import { listenItem } from "../tasksSignals.ts"
import { count } from "../tasksStreams.ts"
import { holdWorkersTimers, releaseWorkersTimers } from "../tasksTimers.ts"

const LIMIT_MS = 10_000

/** Acts while the global timers are held; rejects when that stands still. */
const whileHeld = async <A>(act: () => Promise<A>): Promise<A> => {
  // The bench has set its own timers by then.
  await turn()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const limit = setTimeout(
    () => reject(new Error("It stands still while the timers of the program are held")),
    LIMIT_MS
  )
  const held = holdTimers()
  try {
    return await Promise.race([act(), late])
  } finally {
    held.release()
    clearTimeout(limit)
  }
}

/** Enough quick answers that they need several turns of the event loop. */
const MANY = 3_000

const uses: Readonly<Record<string, (executor: Executor) => Promise<void>>> = {
  "many calls": async (executor) => {
    const results = await Promise.all(Array.from({ length: MANY }, (_, n) => executor.run(double, n)))
    assert.deepEqual(results.slice(-2), [2 * MANY - 4, 2 * MANY - 2])
  },
  "a map": async (executor) => {
    const results = await collect(executor.map(double, Array.from({ length: MANY }, (_, n) => n)))
    assert.equal(results.length, MANY)
  },
  "a stream": async (executor) => {
    assert.equal((await collect(executor.stream(count, 300))).length, 300)
  },
  "a task that returns an Effect": async (executor) => assert.equal(await executor.run(answer, 3), 3),
  wait: async (executor) => {
    const { done } = await wait([executor.submit(identity, 1), executor.submit(identity, 2)])
    assert.equal(done.size, 2)
  }
}

const usable = Object.entries(uses).map(([name, use]) =>
  law(
    `Under timers that stand still, as fake ones do, this ends: ${name}, and shutdown`,
    { promises: [5, 14], needs: ["own timers"] },
    (trial) =>
      whileHeld(async () => {
        const executor = trial.open({ maxWorkers: 2 })
        await use(executor)
        await executor.shutdown()
      })
  )
)

export const timers = laws("timers", [
  ...usable,
  law("A worker whose timers a task has replaced runs what comes after as before", {
    promises: [5, 13]
  }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1 })
    await executor.run(holdWorkersTimers)
    try {
      for (const name of ["many calls", "a map", "a stream", "a task that returns an Effect"]) {
        await uses[name]!(executor)
      }
      await failsWith(executor.run(Task.with(untilAsked, { timeout: 50 }), 1), TaskTimeoutError, { clock: "run" })
      const outcomes = await collect(
        executor.mapSettled(listenItem, [0, 1, 2].map((index) => ({ index, listens: index === 1 })), {
          itemTimeout: 100
        })
      )
      assert.deepEqual(outcomes.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"])
    } finally {
      await executor.run(releaseWorkersTimers)
    }
  }),
  law("The clocks of calls count real time, whatever the timers of the program do", {
    promises: [13],
    needs: ["own timers"]
  }, async (trial) => {
    const notebook = trial.notebook()
    const executor = trial.open({ maxWorkers: 1 })
    await whileHeld(async () => {
      const running = executor.submit(Task.with(untilAsked, { timeout: 200 }), 1)
      const waiting = executor.submit(Task.with(identity, { queueTimeout: 20 }), 2)
      await failsWith(running.result({ timeout: 10 }), TaskTimeoutError, { clock: "wait" })
      await failsWith(waiting.result(), TaskTimeoutError, { clock: "queue" })
      await failsWith(running.result(), TaskTimeoutError, { clock: "run" })
      const retried = Task.with(throwUntil, { retry: { times: 2, delay: 5 } })
      assert.equal(await executor.run(retried, notebook.path, 3), 3)
    })
  })
])
