/** What travels with a call besides its arguments: the line that submitted it, and the caller's context. */
import type { Executor } from "@futures/core"
import assert from "node:assert/strict"
import { collect, rejection } from "../expect.ts"
import { law, laws } from "../Law.ts"
import { throwUnlisted, throwWhenOdd } from "../tasksErrors.ts"
import { listStore, readStore, readStoreInside, restoreStore, store } from "../tasksWorkers.ts"

const theLineThatSubmits = (executor: Executor) => executor.submit(throwUnlisted, 1)

const theLineThatAwaits = async (future: ReturnType<typeof theLineThatSubmits>) => await future.result()

const stackOf = async (executor: Executor): Promise<string> =>
  (await rejection(theLineThatAwaits(theLineThatSubmits(executor))) as Error).stack!

const context = { capture: () => store.getStore(), restore: restoreStore }

export const contexts = laws("context", [
  law("With stacks \"submit\" an error shows the line that submitted its call too", { promises: [] }, async (trial) => {
    const stack = await stackOf(trial.open({ maxWorkers: 1, stacks: "submit" }))
    const at = ["throwUnlisted", "theLineThatSubmits"].map((name) => stack.indexOf(name))
    assert.ok(at[0]! >= 0 && at[0]! < at[1]!, stack)
    assert.ok(stack.includes("theLineThatAwaits"), stack)
    assert.ok(!(await stackOf(trial.open({ maxWorkers: 1 }))).includes("theLineThatSubmits"))
  }),
  law("With stacks \"submit\" a failed call of run shows who called it", { promises: [] }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1, stacks: "submit" })
    const theLineThatRuns = () => executor.run(throwWhenOdd, 1)
    const { stack } = await rejection(theLineThatRuns()) as Error
    assert.ok(stack!.includes("theLineThatRuns"), stack)
  }),
  law(
    "The option context carries the caller's store into the task, and keeps it beyond an await",
    { promises: [] },
    async (trial) => {
      const executor = trial.open({ maxWorkers: 1, concurrency: 4, context })
      const values = ["a", { b: [1, 2] }, undefined, 4]
      const read = await Promise.all(values.map((value) => store.run(value, () => executor.run(readStore, 0))))
      assert.deepEqual(read, values.map((value) => [0, value, value]))
      assert.equal(await store.run("a", () => executor.run(readStoreInside)), "a")
      assert.equal(await executor.run(readStoreInside), undefined)
    }
  ),
  law(
    "The option context carries the caller's store into the calls of map and stream",
    { promises: [] },
    async (trial) => {
      const executor = trial.open({ maxWorkers: 1, context })
      const mapped = store.run("a", () => executor.map(readStore, [1, 2], { chunkSize: 2 }))
      const inside = store.run("a", () => collect(mapped))
      assert.deepEqual(await inside, [[1, "a", "a"], [2, "a", "a"]])
      assert.deepEqual(await store.run("b", () => collect(executor.stream(listStore, 2))), ["b", "b"])
    }
  ),
  law("A context that cannot travel, or cannot be captured, fails its own call", { promises: [2] }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1, context })
    const refused = await rejection(store.run(() => 1, () => executor.run(readStore, 0)))
    assert.equal((refused as Error).name, "NotPortableError")
    assert.deepEqual(await store.run("a", () => executor.run(readStore, 0)), [0, "a", "a"])
    const broken = trial.open({
      maxWorkers: 1,
      context: {
        capture: () => {
          throw new RangeError("not to be captured")
        },
        restore: restoreStore
      }
    })
    assert.ok(await rejection(broken.run(readStore, 0)) instanceof RangeError)
  })
])
