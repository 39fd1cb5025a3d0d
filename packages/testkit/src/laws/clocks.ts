/** Three clocks, each of which counts one thing. */
import { asCompleted, CancelledError, Executor, Task, TaskTimeoutError, wait, WorkerLostError } from "@futures/core"
import type { Future } from "@futures/core"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { setImmediate, setTimeout } from "node:timers/promises"
import { collect, failsWith, isError, isIn, rejection } from "../expect.ts"
import { failure, on } from "../faces.ts"
import { occupy } from "../held.ts"
import { law, laws } from "../Law.ts"
import { add, bytesAfter, exitWhenNegative, noteAfter } from "../tasks.ts"
import { throwValue } from "../tasksErrors.ts"
import { answerWhenAsked, holdItem, listenItem } from "../tasksSignals.ts"
import { countSlowly } from "../tasksStreams.ts"

/** Keeps the caller's thread for so many milliseconds, as a program that computes does. */
const block = (millis: number): void => {
  for (const until = performance.now() + millis; performance.now() < until;);
}

/** Where a program may begin to compute. What the event loop does next depends on it. */
const beginnings: Readonly<Record<string, () => Promise<unknown>>> = {
  "at once": async () => {},
  "after a timer": () => setTimeout(1),
  "in setImmediate": () => setImmediate(),
  "after reading a file": () => readFile(import.meta.filename)
}

const inTime = Object.entries(beginnings).map(([name, begin]) =>
  law(
    `A call that ran within its timeout succeeds, though its caller computes: ${name}`,
    { promises: [5, 13] },
    async (trial) => {
      const notebook = trial.notebook()
      // The worker has loaded the module.
      await trial.single.run(add, 1, 2)
      const timed = Task.with(noteAfter, { timeout: 400, retry: { times: 2, delay: 0 } })
      const future = trial.single.submit(timed, notebook.path, "ran", 5)
      await begin()
      block(900)
      assert.equal(await future.result(), "ran")
      assert.deepEqual(notebook.lines(), ["ran"])
      assert.equal(future.info.attempt, 1)
    }
  )
)

const itemsInTime = Object.entries(beginnings).map(([name, begin]) =>
  law(
    `Items that ran within itemTimeout succeed, though their caller computes: ${name}`,
    { promises: [5, 12, 13] },
    async (trial) => {
      const notebook = trial.notebook()
      const executor = trial.open({ maxWorkers: 1, grace: 0 })
      await executor.run(add, 1, 2)
      const items = ["1", "2", "3"].map((line) => [notebook.path, line, 5] as const)
      const values: Array<string> = []
      for await (const value of executor.starmap(noteAfter, items, { itemTimeout: 400, chunkSize: 3 })) {
        values.push(value)
        await begin()
        block(900)
      }
      assert.deepEqual(values, ["1", "2", "3"])
      assert.deepEqual(notebook.lines(), values)
    }
  )
)

/** Ways to wait for a result of `future` at most so long. */
const waits: Readonly<Record<string, (future: Future<string>, timeout: number) => Promise<unknown>>> = {
  result: (future, timeout) => future.result({ timeout }),
  exception: async (future, timeout) => await future.exception({ timeout }) ?? "ran",
  wait: async (future, timeout) => await future.wait({ timeout }) ? "ran" : "late",
  "wait of several": async (future, timeout) => (await wait([future], { timeout })).done.size === 1 ? "ran" : "late",
  asCompleted: async (future, timeout) => {
    for await (const each of asCompleted([future], { timeout })) return each.result()
    return undefined
  }
}

/** At once, a call is not sent yet. */
const sent = Object.entries(beginnings).filter(([name]) => name !== "at once")

const waitsInTime = sent.map(([name, begin]) =>
  law(
    `A result that was there within the timeout of a wait is received, though the caller computes: ${name}`,
    { promises: [12, 13], needs: ["workers"] },
    async (trial) => {
      const notebook = trial.notebook()
      await trial.shared.run(add, 1, 2)
      for (const [way, waited] of Object.entries(waits)) {
        const waiting = waited(trial.shared.submit(noteAfter, notebook.path, "ran", 5), 400)
        await begin()
        block(700)
        assert.equal(await waiting, "ran", way)
      }
      const mapped = collect(trial.shared.starmap(noteAfter, [[notebook.path, "ran", 5]], { timeout: 400 }))
      await begin()
      block(700)
      assert.deepEqual(await mapped, ["ran"])
    }
  )
)

const queuedInTime = sent.map(([name, begin]) =>
  law(
    `A call whose worker was free within queueTimeout runs, though the caller computes: ${name}`,
    { promises: [6, 13], needs: ["workers"] },
    async (trial) => {
      const notebook = trial.notebook()
      await trial.single.run(add, 1, 2)
      const first = trial.single.submit(noteAfter, notebook.path, "first", 5)
      const next = trial.single.submit(Task.with(noteAfter, { queueTimeout: 400 }), notebook.path, "next", 5)
      await begin()
      block(700)
      assert.deepEqual([await first.result(), await next.result()], ["first", "next"])
    }
  )
)

export const clocks = laws("clocks", [
  ...inTime,
  ...itemsInTime,
  ...waitsInTime,
  ...queuedInTime,
  law("A stream whose consumer computes has run only for as long as its task", { promises: [13] }, async (trial) => {
    const timed = Task.with(countSlowly, { timeout: 500 })
    const seen: Array<number> = []
    for await (const n of trial.single.stream(timed, 5, 10)) {
      seen.push(n)
      block(300)
    }
    assert.deepEqual(seen, [0, 1, 2, 3, 4])
  }),
  law("A worker that was ready within startTimeout is kept, though its caller computes", {
    promises: [9, 13],
    needs: ["workers"]
  }, async (trial) => {
    const exits: Array<unknown> = []
    const executor = trial.open({ maxWorkers: 1, startTimeout: 1_500, onWorkerExit: (exit) => exits.push(exit) })
    const future = executor.submit(add, 1, 2)
    await setImmediate()
    block(2_500)
    assert.equal(await future.result(), 3)
    assert.deepEqual(exits, [])
    await executor.shutdown()
  }),
  law("Calls that were done within the timeout of shutdown are not stopped, though the caller computes", {
    promises: [13, 14],
    needs: ["workers"]
  }, async (trial) => {
    const notebook = trial.notebook()
    const executor = trial.open({ maxWorkers: 1 })
    await executor.run(add, 1, 2)
    const future = executor.submit(noteAfter, notebook.path, "ran", 5)
    const ended = executor.shutdown({ timeout: 400 })
    await setImmediate()
    block(700)
    await ended
    assert.equal(await future.result(), "ran")
  }),
  law(
    "A long result of an item that was on its way when itemTimeout was over is received, even without grace",
    { promises: [5, 12, 13] },
    async (trial) => {
      const executor = trial.open({ maxWorkers: 1, grace: 0 })
      await executor.run(add, 1, 2)
      const bytes = 32 * 2 ** 20
      const items = [[5, bytes], [5, 1]] as const
      const lengths = collect(executor.starmap(bytesAfter, items, { itemTimeout: 400, chunkSize: 2 }))
      await setImmediate()
      block(900)
      assert.deepEqual((await lengths).map(({ byteLength }) => byteLength), [bytes, 1])
    }
  ),
  law(
    "Calls that ran within their timeout succeed, though their caller computes after each result",
    { promises: [5, 13] },
    async (trial) => {
      const notebook = trial.notebook()
      const timed = Task.with(noteAfter, { timeout: 400, retry: { times: 2, delay: 0 } })
      const futures = ["1", "2", "3", "4"].map((line) => trial.single.submit(timed, notebook.path, line, 30))
      for (const [index, future] of futures.entries()) {
        assert.equal(await future.result(), String(index + 1))
        block(600)
      }
      assert.deepEqual(notebook.lines(), ["1", "2", "3", "4"])
    }
  ),
  law(
    "A long result that was on its way when the timeout was over is received, even without grace",
    { promises: [5, 13] },
    async (trial) => {
      const executor = trial.open({ maxWorkers: 1, grace: 0 })
      await executor.run(add, 1, 2)
      const bytes = 32 * 2 ** 20
      const future = executor.submit(Task.with(bytesAfter, { timeout: 400 }), 5, bytes)
      await setImmediate()
      block(900)
      assert.equal((await future.result()).byteLength, bytes)
    }
  ),
  law("A call that ran longer than its timeout fails, however late its caller looks", {
    promises: [13]
  }, async (trial) => {
    const { port, word } = await trial.signals()
    await trial.single.run(add, 1, 2)
    const future = trial.single.submit(Task.with(answerWhenAsked, { timeout: 30 }), port, word())
    await setImmediate()
    block(300)
    await failsWith(future.result(), TaskTimeoutError, { clock: "run", after: 30 })
  }),
  law("Errors of timeouts and cancellations name the task, by its label if it has one", {
    promises: [13]
  }, async (trial) => {
    const { port, word } = await trial.signals()
    const timed = Task.with(answerWhenAsked, { timeout: 30, label: "slow page" })
    await failsWith(trial.single.submit(timed, port, word()).result(), TaskTimeoutError, {
      message: `Task "slow page" timed out after 30 ms (run timeout)`
    })
    const { future: holder, release } = await occupy(trial)
    await failsWith(trial.single.submit(Task.with(add, { queueTimeout: 20 }), 1, 2).result(), TaskTimeoutError, {
      message: `Task "add" did not start within 20 ms (queue timeout)`
    })
    await failsWith(holder.result({ timeout: 0 }), TaskTimeoutError, {
      message: `Waited 0 ms for task "waitFor" (wait timeout)`
    })
    const cancelled = trial.single.submit(add, 1, 2)
    cancelled.cancel()
    await failsWith(cancelled.result(), CancelledError, { message: `Task "add" was cancelled (cancel)` })
    release()
    await holder.result()
  }),
  law("Errors of a map name the task and the item, on both faces", { promises: [12, 13] }, async (trial) => {
    const signals = await trial.signals()
    const items = [false, false, true].map((listens, index) => ({ index, listens }))
    for (const chunkSize of [1, 3]) {
      const options = { chunkSize, itemTimeout: 100 }
      const message = `Item 2 of task "listenItem" timed out after 100 ms (run timeout)`
      await failsWith(collect(trial.shared.map(listenItem, items, options)), TaskTimeoutError, { message })
      const exits = await on(trial.shared, Stream.runCollect(Executor.mapExit(listenItem, items, options)))
      assert.deepEqual(exits.map(({ index }) => index), [0, 1, 2])
      exits.forEach(({ item }, index) => assert.equal(item, items[index]))
      const last = exits[2]!
      assert.ok(Exit.isFailure(last))
      isError(Cause.squash(last.cause), TaskTimeoutError, { message })
      const failed = failure(Stream.runDrain(Executor.map(listenItem, items, options)))
      isError(await on(trial.shared, failed), TaskTimeoutError, { message })
    }
    const held = [undefined, signals.word(), undefined].map((word, index) => ({ index, word, port: signals.port }))
    const late = { clock: "wait", after: 100 } as const
    const start = `The map of task "holdItem" timed out after 100 ms (wait timeout), waiting for`
    const ordered = await failsWith(
      collect(trial.shared.map(holdItem, held, { chunkSize: 1, timeout: 100 })),
      TaskTimeoutError,
      late
    )
    assert.equal(ordered.message, `${start} item 1: 3 items pulled, 2 of them not yielded`)
    const unordered = await failsWith(
      collect(trial.shared.map(holdItem, held, { chunkSize: 1, ordered: false, timeout: 100 })),
      TaskTimeoutError,
      late
    )
    assert.ok(unordered.message.startsWith(`${start} items: 3 items pulled`), unordered.message)
    for (const { word } of held) if (word !== undefined) signals.release(word)
  }),
  law("The error of an item whose worker died names the task and the item", {
    promises: [8, 12],
    needs: ["workers"]
  }, async (trial) => {
    for (const chunkSize of [1, 3]) {
      const outcomes = await collect(trial.open().mapSettled(exitWhenNegative, [1, 2, -1], { chunkSize }))
      const { reason } = outcomes[2] as PromiseRejectedResult
      isError(reason, WorkerLostError)
      assert.ok(reason.message.includes(`while running item 2 of task "exitWhenNegative"`), reason.message)
    }
  }),
  law(
    "The patience of result() is the caller's: when it runs out the task goes on",
    { promises: [13] },
    async (trial) => {
      const { future: holder, release } = await occupy(trial)
      for (const timeout of [0, 20, "20 millis"] as const) {
        await failsWith(holder.result({ timeout }), TaskTimeoutError, { clock: "wait", after: timeout === 0 ? 0 : 20 })
        await failsWith(holder.exception({ timeout }), TaskTimeoutError, { clock: "wait" })
        assert.equal(await holder.wait({ timeout }), false)
      }
      isIn(holder, "running")
      release()
      assert.equal(typeof await holder.result({ timeout: "10 seconds" }), "string")
    }
  ),
  law("A timeout of zero polls: what is known counts", { promises: [13] }, async (trial) => {
    const { future: holder, release } = await occupy(trial)
    const cancelled = trial.single.submit(add, 1, 2)
    cancelled.cancel()
    release()
    const failed = trial.single.submit(throwValue, "no")
    await wait([holder, failed, cancelled])
    assert.equal(typeof await holder.result({ timeout: 0 }), "string")
    assert.equal(await holder.exception({ timeout: 0 }), undefined)
    assert.equal(await rejection(failed.result({ timeout: 0 })), "no")
    assert.equal(await failed.exception({ timeout: 0 }), "no")
    await failsWith(cancelled.result({ timeout: 0 }), CancelledError)
    await failsWith(cancelled.exception({ timeout: 0 }), CancelledError)
    assert.deepEqual(await Promise.all([holder, failed, cancelled].map((future) => future.wait({ timeout: 0 }))), [
      true,
      true,
      true
    ])
  }),
  law("A run clock ends the run: the call fails with TaskTimeoutError, and its worker is free again", {
    promises: [13]
  }, async (trial) => {
    const { port, word } = await trial.signals()
    const future = trial.single.submit(Task.with(answerWhenAsked, { timeout: 30 }), port, word())
    await failsWith(future.result(), TaskTimeoutError, { clock: "run", after: 30 })
    isIn(future, "failed")
    assert.equal(await trial.single.run(add, 1, 2), 3)
  }),
  law("A run clock does not count the time in the queue", { promises: [13] }, async (trial) => {
    const { future: holder, release } = await occupy(trial)
    const future = trial.single.submit(Task.with(add, { timeout: "10 seconds" }), 1, 2)
    const brief = trial.single.submit(Task.with(add, { timeout: 400 }), 3, 4)
    assert.equal(await holder.wait({ timeout: 450 }), false)
    isIn(brief, "pending")
    release()
    assert.deepEqual(await Promise.all([future.result(), brief.result()]), [3, 7])
  })
])
