/** Why a call was stopped, as its caller and its task see it. */
import { CancelledError, Task, TaskTimeoutError } from "@futures/core"
import type { Executor } from "@futures/core"
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { collect, failsWith, isError, rejection } from "../expect.ts"
import { law, laws, property } from "../Law.ts"
import type { Signals } from "../Signals.ts"
import { add, identity } from "../tasks.ts"
import { sayReason, sayReasonBelow, sayReasonOfItem, UserLeft } from "../tasksReasons.ts"
import type { FoundReason } from "../tasksReasons.ts"
import { waitFor } from "../tasksSignals.ts"

/** What a task found, as it said last. */
const toldBy = (signals: Signals): FoundReason => {
  const text = signals.words().findLast((word) => word.startsWith("{"))
  assert.ok(text !== undefined, "The task said no reason")
  return JSON.parse(text) as FoundReason
}

const left = { name: "UserLeft", message: "Left the basket", isUserLeft: true, fields: { page: "the basket" } }

/** Ways to stop a running call with a reason, which answer with what the caller's error says. */
const stops: Readonly<Record<string, (executor: Executor, signals: Signals, reason: unknown) => Promise<unknown>>> = {
  "an AbortSignal": async (executor, signals, reason) => {
    const controller = new AbortController()
    const word = signals.word()
    const future = executor.submit(Task.with(sayReason, { signal: controller.signal }), signals.port, word)
    await signals.heard(word)
    controller.abort(reason)
    return rejection(future.result())
  },
  "interrupt()": async (executor, signals, reason) => {
    const word = signals.word()
    const future = executor.submit(sayReason, signals.port, word)
    await signals.heard(word)
    assert.equal(await future.interrupt({ reason }), true)
    return rejection(future.result())
  },
  "the signal of a map": async (executor, signals, reason) => {
    const controller = new AbortController()
    const word = signals.word()
    const all = collect(
      executor.map(sayReasonOfItem, [{ port: signals.port, word }], { signal: controller.signal, chunkSize: 1 })
    )
    all.catch(() => {})
    await signals.heard(word)
    controller.abort(reason)
    return rejection(all)
  }
}

const arrives = Object.entries(stops).map(([name, stop]) =>
  law(
    `The reason given to ${name} is the cause of the caller's error, and the reason of the task's signal`,
    { promises: [7, 9] },
    async (trial) => {
      const signals = await trial.signals()
      const reason = new UserLeft("the basket")
      const error = await stop(trial.single, signals, reason)
      assert.equal(isError(error, CancelledError).cause, reason)
      assert.deepEqual(toldBy(signals), left)
    }
  )
)

export const reasons = laws("reasons", [
  ...arrives,
  property(
    "Any value that can be copied arrives as the reason of the task's signal",
    { promises: [2, 7], runs: 12 },
    [fc.jsonValue({ maxDepth: 2 })],
    async (trial, value) => {
      const signals = await trial.signals()
      // What the task says travels as text here.
      const reason = JSON.parse(JSON.stringify({ value })) as unknown
      await stops["interrupt()"]!(trial.single, signals, reason)
      assert.deepEqual(toldBy(signals), { value: reason })
    }
  ),
  law(
    "A reason that cannot be copied, or is large, arrives in the task as an error that describes it; the call stops",
    {
      promises: [7, 9]
    },
    async (trial) => {
      const signals = await trial.signals()
      for (const reason of [(): void => {}, "x".repeat(2 ** 20), new Error("x".repeat(2 ** 20))]) {
        const error = await stops["interrupt()"]!(trial.single, signals, reason)
        assert.equal(isError(error, CancelledError).cause, reason)
        const told = toldBy(signals)
        assert.ok("name" in told && told.name === "NotPortableError", JSON.stringify(told).slice(0, 200))
      }
    }
  ),
  law("A call that is stopped without a reason has none: its error has no cause, the task's signal an AbortError", {
    promises: [7]
  }, async (trial) => {
    const signals = await trial.signals()
    const error = await stops["interrupt()"]!(trial.single, signals, undefined)
    assert.equal("cause" in isError(error, CancelledError, { reason: "interrupt" }), false)
    const told = toldBy(signals)
    assert.ok("name" in told && told.name === "AbortError", JSON.stringify(told))
  }),
  law("AbortSignal.timeout differs from a cancel of the user, for the caller and for the task", {
    promises: [7, 13]
  }, async (trial) => {
    const signals = await trial.signals()
    await trial.single.run(add, 1, 2)
    const task = Task.with(sayReason, { signal: AbortSignal.timeout(500) })
    const error = await failsWith(trial.single.run(task, signals.port, signals.word()), CancelledError, {
      reason: "signal"
    })
    assert.equal((error.cause as Error).name, "TimeoutError")
    const told = toldBy(signals)
    assert.ok("name" in told && told.name === "TimeoutError", JSON.stringify(told))
  }),
  law("The signal of a task that has run for too long has a TaskTimeoutError as its reason, and both name the task", {
    promises: [7, 13]
  }, async (trial) => {
    const signals = await trial.signals()
    const task = Task.with(sayReason, { timeout: 50, label: "report" })
    const error = await failsWith(trial.single.run(task, signals.port, signals.word()), TaskTimeoutError)
    assert.match(error.message, /"report"/)
    assert.deepEqual(toldBy(signals), {
      name: "TaskTimeoutError",
      message: error.message,
      isUserLeft: false,
      fields: { clock: "run", after: 50 }
    })
  }),
  law("So has the signal of an item that has run for too long", { promises: [7, 13] }, async (trial) => {
    const signals = await trial.signals()
    const items = [{ port: signals.port, word: signals.word() }]
    const [outcome] = await collect(trial.single.mapSettled(sayReasonOfItem, items, { itemTimeout: 50 }))
    assert.equal(outcome?.status, "rejected")
    const { message } = isError(outcome.reason, TaskTimeoutError, { clock: "run", after: 50 })
    assert.equal(message, `Item 0 of task "sayReasonOfItem" timed out after 50 ms (run timeout)`)
    assert.deepEqual(toldBy(signals), {
      name: "TaskTimeoutError",
      // The worker does not know where in the input its item is.
      message: `Task "sayReasonOfItem" timed out after 50 ms (run timeout)`,
      isUserLeft: false,
      fields: { clock: "run", after: 50 }
    })
  }),
  law("Calls that a task has submitted are stopped for the same reason as the task", {
    promises: [7, 17]
  }, async (trial) => {
    const signals = await trial.signals()
    const word = signals.word()
    const future = trial.single.submit(sayReasonBelow, signals.port, word)
    await signals.heard(word)
    assert.equal(await future.interrupt({ reason: new UserLeft("the basket") }), true)
    await signals.heard(JSON.stringify(left))
  }),
  law("Calls that never ran have the reason of their signal as well, whenever it was aborted", {
    promises: [6, 7]
  }, async (trial) => {
    const signals = await trial.signals()
    const word = signals.word()
    const holder = trial.single.submit(waitFor, signals.port, word)
    await signals.heard(word)
    const controller = new AbortController()
    const task = Task.with(identity, { signal: controller.signal })
    const pending = trial.single.submit(task, 1)
    controller.abort("closed")
    const late = trial.single.submit(task, 2)
    for (const future of [pending, late]) {
      const error = await failsWith(future.result(), CancelledError, { reason: "signal" })
      assert.equal(error.cause, "closed")
    }
    signals.release(word)
    await holder.result()
  })
])
