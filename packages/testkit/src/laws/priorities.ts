/** What comes first, and what may end a call while it waits or runs: priorities, the queue's clock, the caller's signal. */
import { CancelledError, NotPortableError, Task, TaskTimeoutError } from "@futures/core"
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { getEventListeners } from "node:events"
import { failsWith, isIn } from "../expect.ts"
import { occupy } from "../held.ts"
import { law, laws, property } from "../Law.ts"
import { add, note } from "../tasks.ts"
import { noteBelow, noteBelowAs, noteSlowly } from "../tasksNested.ts"
import { answerWhenAsked, stopWhenAsked, waitFor } from "../tasksSignals.ts"

/** More than enough for the lowest to have risen. */
const HIGH = 1_000

export const priorities = laws("priorities and limits", [
  property(
    "Calls of higher priority start first; among equals, first in is first out",
    { promises: [11], runs: 30 },
    [fc.array(fc.integer({ min: -2, max: 2 }), { maxLength: 12 })],
    async (trial, given) => {
      const { future: holder, release } = await occupy(trial)
      const notebook = trial.notebook()
      const futures = given.map((priority, index) =>
        trial.single.submit(Task.with(note, { priority }), notebook.path, String(index))
      )
      release()
      await Promise.all([holder, ...futures].map((future) => future.result()))
      const expected = given.map((priority, index) => ({ priority, index })).toSorted((a, b) => b.priority - a.priority)
      assert.deepEqual(notebook.lines(), expected.map(({ index }) => String(index)))
    }
  ),
  property(
    "What a running call submits has its priority at every level, unless it sets its own",
    { promises: [11, 17], runs: 15 },
    [fc.nat(3), fc.constantFrom("run", "map"), fc.integer({ min: 1, max: 3 })],
    async (trial, levels, how, waiting) => {
      const notebook = trial.notebook()
      await trial.single.run(noteSlowly, notebook.path, "once")
      const { future: holder, release } = await occupy(trial)
      const plain = Array.from({ length: waiting }, (_, n) => trial.single.submit(noteSlowly, notebook.path, String(n)))
      const urgent = trial.single.submit(
        Task.with(noteBelow, { priority: 9 }),
        notebook.path,
        "urgent",
        levels,
        how as "run" | "map"
      )
      const lowered = trial.single.submit(Task.with(noteBelowAs, { priority: 9 }), notebook.path, "lowered", -9)
      release()
      await Promise.all([holder, ...plain, urgent, lowered].map((future) => future.result()))
      assert.deepEqual(notebook.lines(), ["once", "urgent", ...plain.map((_, n) => String(n)), "lowered"])
    }
  ),
  law("A call of low priority is not passed over for ever", { promises: [11] }, async (trial) => {
    const { release } = await occupy(trial)
    const low = trial.single.submit(Task.with(add, { priority: -1 }), 1, 2)
    const high = Task.with(add, { priority: 1 })
    let handedIn = 0
    // There is always one of higher priority that waits.
    const feed = async (): Promise<void> => {
      while (!low.done() && handedIn < HIGH) {
        handedIn++
        await trial.single.run(high, 1, 2)
      }
    }
    const feeding = [feed(), feed(), feed(), feed()]
    release()
    assert.equal(await low.result(), 3)
    await Promise.all(feeding)
    assert.ok(handedIn < HIGH, "it ran when there was nothing else")
  }),
  law(
    "A call that waits longer than its queueTimeout fails with TaskTimeoutError, and never runs",
    { promises: [6, 13] },
    async (trial) => {
      const { future: holder, release } = await occupy(trial)
      const notebook = trial.notebook()
      const brief = trial.single.submit(Task.with(note, { queueTimeout: 20 }), notebook.path, "brief")
      const patient = trial.single.submit(Task.with(note, { queueTimeout: "1 hour" }), notebook.path, "patient")
      await failsWith(brief.result(), TaskTimeoutError, { clock: "queue", after: 20 })
      isIn(brief, "failed")
      isIn(patient, "pending")
      isIn(holder, "running")
      release()
      await patient.result()
      assert.deepEqual(notebook.lines(), ["patient"])
      assert.equal(brief.info.attempt, 0)
    }
  ),
  law(
    "The three clocks of one call count waiting, running and patience, each for itself",
    { promises: [13] },
    async (trial) => {
      const signals = await trial.signals()
      const { release } = await occupy(trial)
      const task = Task.with(answerWhenAsked, { queueTimeout: "1 hour", timeout: 30 })
      const future = trial.single.submit(task, signals.port, signals.word())
      await failsWith(future.result({ timeout: 60 }), TaskTimeoutError, { clock: "wait", after: 60 })
      isIn(future, "pending")
      release()
      await failsWith(future.result(), TaskTimeoutError, { clock: "run", after: 30 })
      const word = signals.word()
      const started = trial.single.submit(Task.with(waitFor, { queueTimeout: 200 }), signals.port, word)
      await signals.heard(word)
      assert.equal(await started.wait({ timeout: 250 }), false)
      isIn(started, "running")
      signals.release(word)
      assert.equal(await started.result(), word)
    }
  ),
  law(
    "A signal cancels a call before it is handed in, while it waits and while it runs",
    { promises: [6, 7] },
    async (trial) => {
      const signals = await trial.signals()
      const notebook = trial.notebook()
      const early = trial.single.submit(Task.with(note, { signal: AbortSignal.abort() }), notebook.path, "early")
      await failsWith(early.result(), CancelledError, { reason: "signal" })
      const { signal, ...controller } = abortable()
      const word = signals.word()
      const running = trial.single.submit(Task.with(stopWhenAsked, { signal }), signals.port, word)
      const waiting = trial.single.submit(Task.with(note, { signal }), notebook.path, "waiting")
      const other = trial.single.submit(note, notebook.path, "other")
      await signals.heard(word)
      controller.abort()
      isIn(waiting, "cancelled")
      await failsWith(waiting.result(), CancelledError, { reason: "signal" })
      await failsWith(running.result(), CancelledError, { reason: "signal" })
      assert.deepEqual(signals.words(), [word, `${word} cleaned up`])
      await other.result()
      assert.deepEqual(notebook.lines(), ["other"])
    }
  ),
  law("No call leaves a listener on its signal, however it ended", { promises: [14] }, async (trial) => {
    const signals = await trial.signals()
    const { abort, signal } = abortable()
    const listeners = (): number => getEventListeners(signal, "abort").length
    const limited = Task.with(add, { signal })
    const refused = trial.single.submit(limited, 1, (() => 1) as never)
    await failsWith(refused.result(), NotPortableError)
    assert.equal(await trial.single.run(limited, 1, 2), 3)
    assert.equal(listeners(), 0)
    const { future: holder, release } = await occupy(trial)
    const cancelled = trial.single.submit(limited, 1, 2)
    const aborted = trial.single.submit(limited, 3, 4)
    cancelled.cancel()
    release()
    await holder.result()
    await aborted.result()
    assert.equal(listeners(), 0)
    const word = signals.word()
    const running = trial.single.submit(Task.with(stopWhenAsked, { signal }), signals.port, word)
    await signals.heard(word)
    assert.equal(listeners(), 1)
    abort()
    await failsWith(running.result(), CancelledError, { reason: "signal" })
    assert.equal(listeners(), 0)
  })
])

const abortable = (): { readonly signal: AbortSignal; readonly abort: () => void } => {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}
