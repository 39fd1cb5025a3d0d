/** The async context in which callbacks run, and what an executor keeps of it. */
import { CancelledError, Task } from "@futures/core"
import type { Executor } from "@futures/core"
import assert from "node:assert/strict"
import { AsyncLocalStorage } from "node:async_hooks"
import { getEventListeners } from "node:events"
import { collect, failsWith, isIn, rejection } from "../expect.ts"
import { law, laws } from "../Law.ts"
import { reachable } from "../soak/reachable.ts"
import { add, identity } from "../tasks.ts"
import { throwUnlisted } from "../tasksErrors.ts"

/** What a request keeps for the code that runs in it. */
const request = new AsyncLocalStorage<{ readonly name: string }>()

const nameNow = (): string => request.getStore()?.name ?? "none"

/** Registers one callback of each kind in the request that runs now; each notes as whom it is called. */
const registerAll = async (executor: Executor, heard: Record<string, string>): Promise<void> => {
  const done = Promise.withResolvers<void>()
  executor.submit(add, 1, 2).onDone(() => {
    heard["onDone"] = nameNow()
    done.resolve()
  })
  const onProgress = (): void => void (heard["onProgress"] = nameNow())
  await collect(executor.map(identity, [1, 2, 3], { onProgress }))
  const worth = (): boolean => {
    heard["retry.while"] = nameNow()
    return false
  }
  await rejection(executor.run(Task.with(throwUnlisted, { retry: { times: 1, while: worth } }), 1))
  await done.promise
}

export const callbacks = laws("callbacks", [
  law(
    "A callback runs in the async context in which it was registered, whichever request started the worker",
    { promises: [16] },
    async (trial) => {
      const executor = trial.open({ maxWorkers: 1 })
      for (const name of ["first", "second"]) {
        const heard: Record<string, string> = {}
        await request.run({ name }, () => registerAll(executor, heard))
        assert.deepEqual(heard, { onDone: name, onProgress: name, "retry.while": name })
      }
    }
  ),
  law(
    "onWorkerExit is called in the async context in which the executor was created",
    { promises: [16], needs: ["workers"] },
    async (trial) => {
      const heard: Array<string> = []
      const open = (): Executor => trial.open({ maxWorkers: 1, onWorkerExit: () => heard.push(nameNow()) })
      const executor = request.run({ name: "creator" }, open)
      await request.run({ name: "caller" }, () => executor.run(add, 1, 2))
      await request.run({ name: "closer" }, () => executor.shutdown())
      assert.deepEqual(heard, ["creator"])
    }
  ),
  law(
    "No async context of a caller is held once its calls have settled, though it started the worker",
    { promises: [14, 16], limit: 60_000 },
    async (trial) => {
      const executor = trial.open({ maxWorkers: 1 })
      const stores: Array<WeakRef<object>> = []
      for (const name of ["first", "second", "third"]) {
        const inRequest = async (): Promise<void> => {
          const store = { name }
          stores.push(new WeakRef(store))
          await request.run(store, () => registerAll(executor, {}))
        }
        await inRequest()
      }
      assert.equal(await reachable(stores), 0, "can still be reached")
      assert.equal(await executor.run(add, 1, 2), 3)
    }
  ),
  law(
    "One AbortSignal has one listener, whatever number of calls it ends, and none once they have settled",
    { promises: [16] },
    async (trial) => {
      const { signal } = new AbortController()
      const task = Task.with(add, { signal })
      const futures = Array.from({ length: 100 }, (_, index) => trial.shared.submit(task, index, 1))
      assert.equal(getEventListeners(signal, "abort").length, 1)
      assert.deepEqual(await Promise.all(futures.map((each) => each.result())), futures.map((_, index) => index + 1))
      assert.equal(getEventListeners(signal, "abort").length, 0)
    }
  ),
  law(
    "A call whose signal was aborted before submit never runs, and its buffers stay with the caller",
    { promises: [4, 7] },
    async (trial) => {
      const bytes = new Uint8Array(8).fill(7)
      const before = trial.shared.stats()
      const task = Task.with(identity, { signal: AbortSignal.abort(), transfer: [bytes.buffer] })
      const future = trial.shared.submit(task, bytes)
      isIn(future, "cancelled")
      assert.equal(bytes.byteLength, 8)
      await failsWith(future.result(), CancelledError, { reason: "signal" })
      assert.equal(trial.shared.stats().cancelled, before.cancelled + 1)
    }
  )
])
