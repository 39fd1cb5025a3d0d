/** Each call has a key of its own: unique everywhere, and the same however often the call is tried. */
import { Task } from "@futures/core"
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { collect } from "../expect.ts"
import { law, laws, property } from "../Law.ts"
import { identify, identifyAll, identifyAtLast, identifyBelow, identifyInMap } from "../tasksIdentity.ts"

export const identity = laws("identity", [
  law("A task and its future have the same key, and calls of all executors have different ones", {
    promises: [6]
  }, async (trial) => {
    const executors = [trial.shared, trial.single, trial.open({ maxWorkers: 1 })]
    const futures = executors.flatMap((executor) => Array.from({ length: 5 }, () => executor.submit(identify)))
    const keys = futures.map((future) => future.info.key)
    assert.deepEqual((await Promise.all(futures.map((future) => future.result()))).map(({ key }) => key), keys)
    assert.equal(new Set(keys).size, keys.length)
    assert.deepEqual(futures.map((future) => future.info.key), keys)
  }),
  law("The key is the same in every attempt, and each attempt was delivered once", { promises: [6] }, async (trial) => {
    const notebook = trial.notebook()
    const future = trial.shared.submit(Task.with(identifyAtLast, { retry: 2 }), notebook.path, 3)
    const { key } = future.info
    assert.equal(future.info.deliveries, future.state === "pending" ? 0 : 1)
    assert.deepEqual(await future.result(), { deliveries: 1, key })
    assert.deepEqual(notebook.lines(), [key, key, key])
    assert.deepEqual([future.info.attempt, future.info.deliveries], [3, 1])
  }),
  property(
    "Each item of a map has a key of its own, whatever the chunks",
    { promises: [6, 12], runs: 20 },
    [fc.integer({ min: 1, max: 30 }), fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined })],
    async (trial, items, chunkSize) => {
      const numbers = Array.from({ length: items }, (_, n) => n)
      const keys = await collect(trial.shared.map(identifyAll, numbers, { chunkSize }))
      for (const [before, after] of keys) assert.equal(before, after)
      assert.equal(new Set(keys.map(([key]) => key)).size, items)
    }
  ),
  law(
    "A call that a task submits has a key of its own, which its future knows",
    { promises: [6, 17] },
    async (trial) => {
      const [own, future, child] = await trial.shared.run(identifyBelow)
      assert.equal(future, child)
      assert.notEqual(own, child)
      const keys = await trial.shared.run(identifyInMap, 20)
      assert.equal(new Set(keys).size, 20)
    }
  )
])
