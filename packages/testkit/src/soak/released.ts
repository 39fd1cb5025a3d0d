/** Nothing holds on to what a call was given, what it gave, or its future, once it is over and nobody else does. */
import { asCompleted, Task } from "@futures/core"
import type { Executor, Future } from "@futures/core"
import assert from "node:assert/strict"
import { rejection } from "../expect.ts"
import { law, laws } from "../Law.ts"
import { waitFor } from "../tasksSignals.ts"
import { reachable } from "./reachable.ts"
import { count, remember, rememberAndFail, rememberForEver } from "./tasksReleased.ts"

type Refs = Array<WeakRef<object>>

const CALLS = 5

/** Milliseconds: many collections of a large heap, on a busy machine. */
const LIMIT = 60_000

/** Each in a function of its own, so that no variable holds what it made. */
const lives: ReadonlyArray<(executor: Executor, refs: Refs) => Promise<void>> = [
  // succeeded
  async (executor, refs) => {
    const given = { text: "given" }
    const future = executor.submit(remember, given)
    refs.push(new WeakRef(given), new WeakRef(future), new WeakRef(await future.result()))
  },
  // failed, and looked at twice
  async (executor, refs) => {
    const given = {}
    const future = executor.submit(rememberAndFail, given)
    refs.push(new WeakRef(given), new WeakRef(future))
    for (let look = 0; look < 2; look++) refs.push(new WeakRef(await rejection(future.result()) as object))
  },
  // cancelled while it waited
  async (executor, refs) => {
    const given = { text: "given" }
    const controller = new AbortController()
    const future = executor.submit(Task.with(remember, { signal: controller.signal, queueTimeout: 60_000 }), given)
    refs.push(new WeakRef(given), new WeakRef(future), new WeakRef(controller.signal))
    future.onDone(() => given)
    future.cancel()
    await future.wait()
  },
  // refused
  async (executor, refs) => {
    const given = { text: "given", callback: () => given }
    const future = executor.submit(remember, given)
    refs.push(new WeakRef(given), new WeakRef(future), new WeakRef(await rejection(future.result()) as object))
  },
  // a map, left early
  async (executor, refs) => {
    const items = Array.from({ length: 8 }, (_, index) => ({ text: String(index) }))
    for (const item of items) refs.push(new WeakRef(item))
    const results = executor.map(remember, items, { chunkSize: 2 })
    refs.push(new WeakRef(results), new WeakRef((await results[Symbol.asyncIterator]().next()).value as object))
    await results.return?.()
  }
]

/** Laws about memory: what a call held is collected once nobody else holds it. */
export const released = laws("released", [
  law(
    "What a call was given, what it gave, and its future are collected once nobody else holds them",
    { promises: [14], limit: LIMIT },
    async (trial) => {
      const executor = trial.open({ maxWorkers: 1 })
      const refs: Refs = []
      for (let call = 0; call < CALLS; call++) for (const life of lives) await life(executor, refs)
      assert.ok(refs.length > CALLS * lives.length)
      assert.equal(await reachable(refs), 0, "can still be reached by the caller")
    }
  ),
  law(
    "Futures that asCompleted has yielded are collected while it still waits for others",
    { promises: [14], limit: LIMIT },
    async (trial) => {
      const executor = trial.open({ maxWorkers: 1, concurrency: 2 })
      const signals = await trial.signals()
      const word = signals.word()
      const last = executor.submit(waitFor, signals.port, word)
      const completed = asCompleted<Iterable<Future<unknown>>>([last])
      const refs: Refs = []
      // In a function of its own, so that no variable holds what it made.
      const round = async (): Promise<void> => {
        const future = executor.submit(remember, { text: "given" })
        completed.add(future)
        const { value } = await completed.next()
        assert.equal(value, future)
        refs.push(new WeakRef(future), new WeakRef(await future.result()))
      }
      for (let call = 0; call < CALLS; call++) await round()
      assert.equal(await reachable(refs), 0, "can still be reached")
      signals.release(word)
      assert.deepEqual(await completed.next(), { done: false, value: last })
    }
  ),
  law(
    "A worker holds on to nothing of the calls that are over",
    { promises: [14], limit: LIMIT },
    async (trial) => {
      const executor = trial.open({ maxWorkers: 1 })
      for (let call = 0; call < CALLS; call++) for (const life of lives) await life(executor, [])
      assert.equal(await executor.run(count), 0, "can still be reached by the worker")
    }
  ),
  law(
    "What was lost with a worker is collected too",
    { promises: [8, 14], needs: ["workers"], limit: LIMIT },
    async (trial) => {
      const executor = trial.open({ maxWorkers: 1, grace: 5 })
      const refs: Refs = []
      const life = async (): Promise<void> => {
        const given = {}
        const future = executor.submit(Task.with(rememberForEver, { timeout: 20 }), given)
        refs.push(new WeakRef(given), new WeakRef(future), new WeakRef(await rejection(future.result()) as object))
      }
      for (let call = 0; call < 3; call++) await life()
      await executor.run(count)
      assert.equal(await reachable(refs), 0, "can still be reached by the caller")
    }
  )
])
