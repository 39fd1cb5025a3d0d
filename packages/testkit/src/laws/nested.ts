/** Tasks may hand in calls to the executor that they run on, and wait for them without being in their way. */
import { CancelledError, Executor, NestingTooDeepError, WorkerLostError } from "@futures/core"
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { collect, failsWith, isError, isIn, rejection } from "../expect.ts"
import { law, laws, property } from "../Law.ts"
import { add } from "../tasks.ts"
import { Missing } from "../tasksEffect.ts"
import { Declined } from "../tasksErrors.ts"
import {
  deep,
  fibonacci,
  leave,
  leaveAndExit,
  nestedFailure,
  nestedMap,
  nestedSettled,
  nestedShutdown,
  nestedStarmap,
  nestedStream,
  nestedTagged,
  stopBelow,
  waitThenNote
} from "../tasksNested.ts"

export const nested = laws("nested calls", [
  law("A task that waits for its own calls gives its slot back, so recursion ends with one worker", {
    promises: [11, 17]
  }, async (trial) => {
    assert.equal(await trial.single.run(fibonacci, 10), 55)
    assert.ok(trial.single.stats().workers <= 1)
    assert.deepEqual(await Promise.all([5, 6, 7].map((n) => trial.shared.run(fibonacci, n))), [5, 8, 13])
  }),
  property(
    "Recursion goes as deep as it was told to, wherever the calls run",
    { promises: [17], runs: 10 },
    [fc.nat(60)],
    async (trial, levels) => {
      assert.equal(await trial.shared.run(deep, levels), levels)
    }
  ),
  law("Calls nested more than a thousand deep end with NestingTooDeepError, and no other call is harmed", {
    promises: [17]
  }, async (trial) => {
    assert.equal(await trial.single.run(deep, 950), 950)
    await failsWith(trial.single.run(deep, 1_100), NestingTooDeepError, { depth: 1_001 })
    assert.equal(await trial.single.run(deep, 10), 10)
    assert.equal(trial.single.stats().running, 0)
  }),
  law("map, mapSettled, starmap and stream work within a task", { promises: [12, 17] }, async (trial) => {
    const notebook = trial.notebook()
    const numbers = Array.from({ length: 50 }, (_, index) => index)
    assert.deepEqual(await trial.single.run(nestedMap, numbers), numbers.map((n) => n * 2))
    assert.deepEqual(await trial.single.run(nestedSettled, [2, 3, 4]), ["fulfilled", "rejected", "fulfilled"])
    assert.deepEqual(await trial.single.run(nestedStarmap, [[notebook.path, "1"], [notebook.path, "2"]]), ["1", "2"])
    assert.deepEqual(await collect(trial.single.stream(nestedStream, 40)), numbers.slice(0, 40).map((n) => n * 2))
    for await (const n of trial.single.stream(nestedStream, 1_000_000)) if (n === 6) break
    assert.equal(await trial.single.run(add, 1, 2), 3)
  }),
  law(
    "What a nested call fails with keeps its class and fields through every level",
    { promises: [5, 17] },
    async (trial) => {
      const declined = isError(await rejection(trial.shared.run(nestedFailure, "decline", 501)), Declined, {
        code: 501
      })
      assert.deepEqual([declined.isFinal, declined.details], [true, { reasons: ["too late", "too little"] }])
      const unlisted = await rejection(trial.shared.run(nestedFailure, "throwUnlisted", 3)) as Error & { size?: number }
      assert.deepEqual([unlisted.name, unlisted.message, unlisted.size], ["Unlisted", "Of size 3", 3])
      isError(await rejection(trial.shared.run(nestedTagged, "x")), Missing, { id: "x", tried: ["here", "there"] })
    }
  ),
  law("shutdown() waits for the calls that running tasks still hand in", { promises: [14, 17] }, async (trial) => {
    const signals = await trial.signals()
    const word = signals.word()
    const notebook = trial.notebook()
    const executor = trial.open({ maxWorkers: 1 })
    const parent = executor.submit(waitThenNote, signals.port, word, notebook.path)
    await signals.heard(word)
    const over = executor.shutdown()
    signals.release(word)
    await over
    assert.equal(await parent.result(), word)
    assert.deepEqual(notebook.lines(), [word])
  }),
  law(
    "A call that a task hands in and does not wait for runs all the same",
    { promises: [5, 14, 17] },
    async (trial) => {
      const notebook = trial.notebook()
      const executor = trial.open({ maxWorkers: 1 })
      const lines = ["0", "1", "2"]
      for (const line of lines) assert.equal(await executor.run(leave, notebook.path, line), "pending")
      await executor.shutdown()
      assert.deepEqual(notebook.lines(), lines)
    }
  ),
  law("To stop a task is to stop all that it has handed in; what it hands in then, to clean up, runs", {
    promises: [7, 17]
  }, async (trial) => {
    const signals = await trial.signals()
    const notebook = trial.notebook()
    const words = [signals.word(), signals.word()]
    const [first, second] = words as [string, string]
    const executor = trial.open({ maxWorkers: 1, concurrency: 2, grace: "15 seconds" })
    const future = executor.submit(stopBelow, signals.port, first, notebook.path, 2)
    await Promise.all([first, `${first} beside`].map(signals.heard))
    assert.equal(await future.interrupt(), true)
    await failsWith(future.result(), CancelledError, { reason: "interrupt" })
    assert.deepEqual(notebook.lines(), ["0", "1", "2"].map((level) => `${level}: CancelledError, parent`))
    await signals.heard(`${first} beside cleaned up`)
    const ended = executor.submit(stopBelow, signals.port, second, notebook.path, 0)
    await Promise.all([second, `${second} beside`].map(signals.heard))
    await executor.terminate()
    isIn(ended, "cancelled")
    assert.equal(signals.words().filter((word) => word.endsWith("cleaned up")).length, 4)
  }),
  law("What a task has handed in is stopped when its worker dies", {
    promises: [8, 17],
    needs: ["workers"]
  }, async (trial) => {
    const signals = await trial.signals()
    const word = signals.word()
    const executor = trial.open({ maxWorkers: 2, grace: "15 seconds" })
    const lost = executor.submit(leaveAndExit, signals.port, word)
    await Promise.all([word, `${word} left`].map(signals.heard))
    signals.release(`${word} left`)
    await failsWith(lost.result(), WorkerLostError, { exitCode: 3 })
    await signals.heard(`${word} cleaned up`)
    await executor.shutdown()
    const { cancelled, failed } = executor.stats()
    assert.deepEqual({ cancelled, failed }, { cancelled: 1, failed: 1 })
  }),
  law("A task cannot end the executor that it runs on", { promises: [14, 17] }, async (trial) => {
    assert.equal(await trial.single.run(nestedShutdown), "InvalidStateError")
    assert.equal(await trial.single.run(add, 1, 2), 3)
  }),
  law("Executor.current() answers within a task only", { promises: [17] }, async () => {
    assert.throws(() => Executor.current(), { _tag: "InvalidStateError" })
  })
])
