/** What an executor tells whoever listens on `node:diagnostics_channel`. */
import { Executor, NotPortableError, Task } from "@futures/core"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { isError } from "../expect.ts"
import { on } from "../faces.ts"
import { hearing, of } from "../hearing.ts"
import type { Heard } from "../hearing.ts"
import { law, laws, property } from "../Law.ts"
import { add, double, exit, identity } from "../tasks.ts"
import { throwUntil } from "../tasksAttempts.ts"
import { throwWhenOdd } from "../tasksErrors.ts"
import { fibonacci } from "../tasksNested.ts"
import { waitFor } from "../tasksSignals.ts"

let executors = 0
/** A name by which an executor's events are told from those of others. */
const fresh = (): string => `heard-${++executors}`

/** The channels on which a call was told of, in order. A call that its worker did not begin in time is started again by another: told once here. */
const steps = (heard: ReadonlyArray<Heard>, id: number): Array<string> => {
  const channels = heard.filter((event) => "call" in event && event.call.id === id).map(({ channel }) => channel)
  return channels.filter((channel, index) => channel !== channels[index - 1])
}

export const events = laws("events", [
  property(
    "Each call tells that it was handed in, started and settled, in this order, with what its future says",
    { promises: [5], runs: 5 },
    [fc.array(fc.nat(9), { maxLength: 12 })],
    async (trial, numbers) => {
      const name = fresh()
      const executor = trial.open({ name, maxWorkers: 2 })
      const heard = await hearing(name, async (soFar) => {
        const futures = numbers.map((n) => executor.submit(throwWhenOdd, n))
        await Promise.all(futures.map((future) => future.exception()))
        for (const [index, future] of futures.entries()) {
          const told = of(soFar, "futures:call:settle").find(({ call }) => call.id === future.info.id)!
          assert.deepEqual([told.call, told.outcome], [future.info, future.state])
          assert.ok(told.ran! >= 0)
          assert.equal((told.error as Error | undefined)?.message, (await future.exception() as Error)?.message)
          assert.equal(told.error === undefined, numbers[index]! % 2 === 0)
        }
      })
      const ids = of(heard, "futures:call:submit").map(({ call }) => call.id)
      assert.deepEqual([new Set(ids).size, ids.length], [numbers.length, numbers.length])
      for (const id of ids) {
        assert.deepEqual(steps(heard, id), ["futures:call:submit", "futures:call:start", "futures:call:settle"])
      }
      const last = heard.at(-1)
      if (last !== undefined) assert.deepEqual([last.stats.pending, last.stats.running], [0, 0])
      await executor.shutdown()
    }
  ),
  law(
    "A submit is told of at once, and a call that never starts tells that it settled",
    { promises: [5, 6] },
    async (trial) => {
      const name = fresh()
      const signals = await trial.signals()
      const executor = trial.open({ name, maxWorkers: 1 })
      const heard = await hearing(name, async (soFar) => {
        const word = signals.word()
        const holder = executor.submit(waitFor, signals.port, word)
        assert.deepEqual(soFar.map(({ channel }) => channel), ["futures:call:submit"])
        await signals.heard(word)
        const pending = executor.submit(add, 1, 2)
        assert.ok(pending.cancel())
        const refused = executor.submit(identity, () => 1)
        const told = of(soFar, "futures:call:settle")
        assert.deepEqual(told.map(({ call, outcome, ran }) => [call.id, outcome, ran]), [
          [pending.info.id, "cancelled", undefined],
          [refused.info.id, "failed", undefined]
        ])
        isError(told[1]!.error, NotPortableError)
        isError(await refused.exception(), NotPortableError)
        for (const { info } of [pending, refused]) {
          assert.deepEqual(steps(soFar, info.id), ["futures:call:submit", "futures:call:settle"])
        }
        signals.release(word)
        await holder.result()
      })
      assert.deepEqual(heard.at(-1)!.stats, executor.stats())
    }
  ),
  law(
    "Whoever waited for a call finds it counted and told of, on both faces",
    { promises: [5] },
    async (trial) => {
      const name = fresh()
      const executor = trial.open({ name, maxWorkers: 1 })
      await hearing(name, async (soFar) => {
        const look = (): unknown => {
          const { pending, running, succeeded } = executor.stats()
          return [pending, running, succeeded, of(soFar, "futures:call:settle").length]
        }
        await executor.run(add, 1, 2)
        assert.deepEqual(look(), [0, 0, 1, 1])
        assert.deepEqual(await on(executor, Effect.map(Executor.run(add, 1, 2), look)), [0, 0, 2, 2])
      })
    }
  ),
  law("Each attempt that failed and is followed by another tells of its error", { promises: [6] }, async (trial) => {
    const name = fresh()
    const executor = trial.open({ name, maxWorkers: 1 })
    const path = trial.notebook().path
    const heard = await hearing(name, async () => {
      assert.equal(await executor.run(Task.with(throwUntil, { retry: 5 }), path, 3), 3)
    })
    const told = of(heard, "futures:call:retry")
    assert.deepEqual(told.map(({ call, error }) => [call.attempt, (error as Error).message]), [
      [1, "attempt 1"],
      [2, "attempt 2"]
    ])
    for (const { call, ran, stats } of told) {
      assert.ok(ran >= 0 && call.startedAt! >= call.submittedAt)
      assert.deepEqual([stats.pending, stats.running], [1, 0])
    }
    assert.deepEqual(of(heard, "futures:call:start").map(({ call }) => call.attempt), [1, 2, 3])
    assert.deepEqual(of(heard, "futures:call:settle").map(({ call, outcome }) => [call.attempt, outcome]), [[
      3,
      "succeeded"
    ]])
  }),
  law("A worker tells that it starts, that it is ready and that it has ended", { promises: [14] }, async (trial) => {
    const name = fresh()
    const executor = trial.open({ name, maxWorkers: 1 })
    let id: number | string | undefined
    const heard = await hearing(name, async () => {
      const future = executor.submit(add, 1, 2)
      await future.result()
      id = future.info.workerId
      await executor.shutdown()
    })
    const worker = { name: `${name}-1`, id }
    assert.deepEqual(of(heard, "futures:worker:start").map((event) => event.worker), [{ ...worker, id: undefined }])
    assert.deepEqual(of(heard, "futures:worker:ready").map((event) => event.worker), [worker])
    const [ended, ...others] = of(heard, "futures:worker:exit")
    assert.deepEqual([ended!.worker, ended!.reason, ended!.stats.workers, others], [worker, "stopped", 0, []])
  }),
  law("A worker that is lost tells why, and so do the calls that it took along", {
    promises: [8],
    needs: ["workers"]
  }, async (trial) => {
    const name = fresh()
    const executor = trial.open({ name, maxWorkers: 1 })
    const heard = await hearing(name, async () => {
      await executor.submit(exit, 7).exception()
      assert.equal(await executor.run(add, 1, 2), 3)
    })
    const [ended] = of(heard, "futures:worker:exit")
    assert.deepEqual([ended!.reason, ended!.exitCode], ["exit", 7])
    const [lost] = of(heard, "futures:call:settle")
    assert.deepEqual([lost!.outcome, (lost!.error as Error).name], ["failed", "WorkerLostError"])
    assert.equal(of(heard, "futures:worker:start").length, 2)
  }),
  law(
    "Calls that a task hands in are told of once, by the executor that runs them",
    { promises: [17] },
    async (trial) => {
      const name = fresh()
      const executor = trial.open({ name, maxWorkers: 1 })
      const heard = await hearing(name, async () => {
        assert.equal(await executor.run(fibonacci, 4), 3)
      })
      assert.equal(of(heard, "futures:call:submit").length, 9)
      assert.equal(of(heard, "futures:call:settle").length, 9)
    }
  ),
  law("A chunk of a map is told of as one call", { promises: [12] }, async (trial) => {
    const name = fresh()
    const executor = trial.open({ name, maxWorkers: 1 })
    const heard = await hearing(name, async () => {
      for await (const _ of executor.map(double, [1, 2, 3, 4, 5], { chunkSize: 2 }));
    })
    assert.equal(of(heard, "futures:call:settle").length, 3)
  })
])
