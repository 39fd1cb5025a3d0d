/** Several futures at once: wait, asCompleted, gather. */
import {
  asCompleted,
  CancelledError,
  gather,
  InvalidOptionError,
  InvalidStateError,
  TaskTimeoutError,
  wait
} from "@futures/core"
import type { Future } from "@futures/core"
import assert from "node:assert/strict"
import { collect, failsWith, rejection } from "../expect.ts"
import { hold } from "../held.ts"
import type { Held } from "../held.ts"
import { law, laws } from "../Law.ts"
import { add } from "../tasks.ts"
import { throwValue } from "../tasksErrors.ts"
import { failAfter } from "../tasksSignals.ts"
import type { Trial } from "../Trial.ts"

const cancelledOne = (trial: Trial): Future<number> => {
  // The first starts at once where a worker is idle.
  trial.single.submit(add, 0, 0)
  const future = trial.single.submit(add, 1, 2)
  future.cancel()
  return future
}

/** Futures that have succeeded, failed and been cancelled. */
const settled = async (trial: Trial): Promise<[Future<number>, Future<never>, Future<number>]> => {
  const futures: [Future<number>, Future<never>, Future<number>] = [
    trial.shared.submit(add, 1, 2),
    trial.shared.submit(throwValue, "no"),
    cancelledOne(trial)
  ]
  await Promise.all(futures.map((future) => future.wait()))
  return futures
}

export const many = laws("several futures", [
  law("wait() of nothing answers at once, and a future given twice counts once", { promises: [5] }, async (trial) => {
    assert.deepEqual(await wait([]), { done: new Set(), notDone: new Set() })
    const future = trial.shared.submit(add, 1, 2)
    assert.deepEqual(await wait([future, future]), { done: new Set([future]), notDone: new Set() })
  }),
  law(
    "wait() for all has succeeded, failed and cancelled ones in done, and throws nothing",
    { promises: [5] },
    async (trial) => {
      const futures = [trial.shared.submit(add, 1, 2), trial.shared.submit(throwValue, "no"), cancelledOne(trial)]
      const { done, notDone } = await wait(futures)
      assert.deepEqual([done, notDone], [new Set(futures), new Set()])
    }
  ),
  law(
    "wait() for the first answers with all that are done, at once if there are any",
    { promises: [5] },
    async (trial) => {
      const [first, second] = await hold(trial, 2) as [Held, Held]
      const waiting = wait([first.future, second.future], { returnWhen: "firstCompleted" })
      second.release()
      assert.deepEqual(await waiting, { done: new Set([second.future]), notDone: new Set([first.future]) })
      const cancelled = cancelledOne(trial)
      const again = await wait([first.future, cancelled, second.future], { returnWhen: "firstCompleted" })
      assert.deepEqual(again, { done: new Set([cancelled, second.future]), notDone: new Set([first.future]) })
      first.release()
      await first.future.result()
    }
  ),
  law("wait() for the first exception is not ended by success or cancellation", { promises: [5] }, async (trial) => {
    const [good, held] = await hold(trial, 2) as [Held, Held]
    const [bad] = await hold(trial, 1, failAfter) as [Held]
    const cancelled = cancelledOne(trial)
    const all = [good.future, bad.future, held.future, cancelled]
    const waiting = wait(all, { returnWhen: "firstException" })
    good.release()
    await good.future.result()
    const early = wait(all, { returnWhen: "firstException", timeout: 0 })
    assert.deepEqual(await early, {
      done: new Set([good.future, cancelled]),
      notDone: new Set([bad.future, held.future])
    })
    bad.release()
    assert.deepEqual(await waiting, {
      done: new Set([good.future, bad.future, cancelled]),
      notDone: new Set([held.future])
    })
    assert.ok((await wait(all, { returnWhen: "firstException" })).notDone.has(held.future))
    held.release()
    assert.equal((await wait([held.future, good.future], { returnWhen: "firstException" })).done.size, 2)
  }),
  law("The timeout of wait() is no error: what is done is in done", { promises: [13] }, async (trial) => {
    const [held] = await hold(trial, 1) as [Held]
    const futures = [held.future, ...await settled(trial)]
    for (const timeout of [0, 20, "20 millis"] as const) {
      const { done, notDone } = await wait(futures, { timeout })
      assert.deepEqual([done, notDone], [new Set(futures.slice(1)), new Set([held.future])])
    }
    held.release()
    assert.equal((await wait(futures, { timeout: "1 minute" })).notDone.size, 0)
  }),
  law("wait() refuses a returnWhen that it does not know, also when all are done", { promises: [] }, async (trial) => {
    const futures = await settled(trial)
    await failsWith(wait(futures, { returnWhen: "any" as never }), InvalidOptionError, {
      option: "returnWhen"
    })
    await failsWith((async () => await wait([], { timeout: -1 }))(), InvalidOptionError, { option: "timeout" })
  }),
  law("A hundred futures that are released together are all heard of", { promises: [5] }, async (trial) => {
    const held = await hold(trial, 100)
    const futures = held.map(({ future }) => future)
    const waits = [
      wait(futures),
      wait(futures, { returnWhen: "firstException" }),
      collect(asCompleted(futures)),
      gather(futures)
    ] as const
    for (const { release } of held) release()
    const [all, exception, completed, results] = await Promise.all(waits)
    assert.deepEqual([all.done.size, exception.done.size, completed.length], [100, 100, 100])
    assert.deepEqual(results, held.map(({ word }) => word))
  }),
  law(
    "asCompleted() yields futures in the order in which they are done, each once",
    { promises: [5] },
    async (trial) => {
      const held = await hold(trial, 3)
      const [first, second, third] = held as [Held, Held, Held]
      const seen: Array<Future<string>> = []
      for (const { release } of [second]) release()
      await second.future.result()
      const next = new Map([[second.future, third], [third.future, first]])
      for await (const future of asCompleted([first.future, second.future, third.future, first.future])) {
        seen.push(future)
        next.get(future)?.release()
      }
      assert.deepEqual(seen, [second.future, third.future, first.future])
    }
  ),
  law("asCompleted() yields cancelled and failed ones too", { promises: [5] }, async (trial) => {
    const futures = await settled(trial)
    assert.deepEqual(new Set(await collect(asCompleted(futures))), new Set(futures))
    assert.deepEqual(await collect(asCompleted([])), [])
  }),
  law(
    "asCompleted() yields what is done before its timeout, then throws TaskTimeoutError",
    { promises: [13] },
    async (trial) => {
      const [held] = await hold(trial, 1) as [Held]
      const done = await settled(trial)
      for (const timeout of [0, 30]) {
        const seen: Array<unknown> = []
        const looped = (async () => {
          for await (const future of asCompleted([held.future, ...done], { timeout })) {
            seen.push(future)
          }
        })()
        await failsWith(looped, TaskTimeoutError, { clock: "wait", after: timeout })
        assert.deepEqual(seen, [...done])
      }
      held.release()
      await held.future.result()
    }
  ),
  law(
    "A timeout of asCompleted() says how many of the futures are unfinished, and of which tasks",
    { promises: [13] },
    async (trial) => {
      const held = await hold(trial, 2)
      const futures = [...held.map(({ future }) => future), ...await settled(trial)]
      const error = await failsWith(collect(asCompleted(futures, { timeout: 0 })), TaskTimeoutError, { clock: "wait" })
      assert.ok(error.message.includes(`2 of ${futures.length} futures unfinished ("waitFor")`), error.message)
      for (const { release } of held) release()
      await gather(held.map(({ future }) => future))
    }
  ),
  law(
    "Futures that are added to a running asCompleted() are yielded too, each once, and it ends when none is left",
    { promises: [5] },
    async (trial) => {
      const [first, second] = await hold(trial, 2) as [Held, Held]
      const completed = asCompleted([first.future])
      const seen: Array<Future<unknown>> = []
      first.release()
      for await (const future of completed) {
        seen.push(future)
        if (future === first.future) {
          completed.add(second.future)
          completed.add(first.future)
          second.release()
        } else if (future === second.future) completed.add(trial.shared.submit(throwValue, "added last"))
      }
      assert.deepEqual(seen.slice(0, 2), [first.future, second.future])
      assert.equal(seen.length, 3)
      assert.equal(await rejection(seen[2]!.result()), "added last")
      assert.throws(() => completed.add(first.future), InvalidStateError)
    }
  ),
  law("A future that is added while asCompleted() waits is noticed", { promises: [5] }, async (trial) => {
    const [first, second] = await hold(trial, 2) as [Held, Held]
    const completed = asCompleted([first.future])
    const next = completed.next()
    completed.add(second.future)
    second.release()
    assert.deepEqual(await next, { done: false, value: second.future })
    first.release()
    assert.deepEqual(await completed.next(), { done: false, value: first.future })
    assert.deepEqual(await completed.next(), { done: true, value: undefined })
  }),
  law("Leaving asCompleted() early cancels nothing", { promises: [5] }, async (trial) => {
    const [first, second] = await hold(trial, 2) as [Held, Held]
    first.release()
    for await (const future of asCompleted([first.future, second.future])) {
      assert.equal(future, first.future)
      break
    }
    assert.equal(second.future.state, "running")
    second.release()
    assert.equal(await second.future.result(), second.word)
  }),
  law(
    "gather() answers with all results in order, or fails as the first that fails",
    { promises: [5] },
    async (trial) => {
      assert.deepEqual(await gather([]), [])
      assert.deepEqual(await gather([trial.shared.submit(add, 1, 2), trial.single.submit(add, 3, 4)]), [3, 7])
      const [held] = await hold(trial, 1) as [Held]
      assert.equal(await rejection(gather([held.future, trial.shared.submit(throwValue, "no")])), "no")
      await failsWith(gather([held.future, cancelledOne(trial)]), CancelledError)
      assert.equal(held.future.state, "running")
      held.release()
      assert.equal(await held.future.result(), held.word)
    }
  ),
  law("Futures of different executors may be waited for together", { promises: [5] }, async (trial) => {
    const futures = [
      trial.shared.submit(add, 1, 2),
      trial.single.submit(add, 3, 4),
      trial.open({ maxWorkers: 1 }).submit(add, 5, 6)
    ]
    assert.equal((await wait(futures)).done.size, 3)
    assert.deepEqual(new Set(await collect(asCompleted(futures))), new Set(futures))
    assert.deepEqual(await gather(futures), [3, 7, 11])
  })
])
