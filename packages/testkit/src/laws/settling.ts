/** Every future settles, exactly once, with its own outcome. */
import { CancelledError, InvalidStateError, NotPortableError, Task, TaskNotFoundError, wait } from "@futures/core"
import type { Executor, Future } from "@futures/core"
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { failsWith, isIn, outcomeOf, rejection, turn } from "../expect.ts"
import { occupy } from "../held.ts"
import { law, laws, property } from "../Law.ts"
import { add, asynchronous, exit, identity, note, unportable } from "../tasks.ts"
import { reject, throwValue } from "../tasksErrors.ts"
import { failAfter, ignoreAsking } from "../tasksSignals.ts"

const { absent } = Task.from<{ absent: () => number }>(new URL("data:text/javascript,export const here = 1"))

type Fate = "succeed" | "succeed later" | "throw" | "reject" | "argument" | "result" | "absent"
type Meddling = "none" | "cancel" | "interrupt" | "both" | "interrupt later"

const submitFor = (executor: Executor, fate: Fate | "exit", value: number): Future<unknown, unknown> => {
  switch (fate) {
    case "succeed":
      return executor.submit(identity, value)
    case "succeed later":
      return executor.submit(asynchronous, value)
    case "throw":
      return executor.submit(throwValue, value)
    case "reject":
      return executor.submit(reject, value)
    case "argument":
      return executor.submit(identity, () => value)
    case "result":
      return executor.submit(unportable, "function")
    case "absent":
      return executor.submit(absent)
    case "exit":
      return executor.submit(exit, value)
  }
}

const hasOwnOutcome = (
  fate: Fate | "exit",
  value: number,
  outcome: PromiseSettledResult<unknown>,
  meddled: boolean
): void => {
  if (outcome.status === "fulfilled") {
    assert.ok(fate === "succeed" || fate === "succeed later", `${fate} succeeded`)
    assert.equal(outcome.value, value)
  } else if (outcome.reason instanceof CancelledError) assert.ok(meddled, `${fate} was cancelled, and nobody asked`)
  else if (fate === "throw" || fate === "reject") assert.equal(outcome.reason, value)
  else if (fate === "absent") assert.ok(outcome.reason instanceof TaskNotFoundError)
  else if (fate === "exit") assert.equal((outcome.reason as { exitCode?: number }).exitCode, value)
  else assert.ok(outcome.reason instanceof NotPortableError, `${fate} ended with ${String(outcome.reason)}`)
}

/** Hands in calls of every fate, meddles with some, and follows each to its end. */
const mixed = async (executor: Executor, plan: ReadonlyArray<readonly [Fate | "exit", Meddling]>): Promise<void> => {
  const told = plan.map(() => 0)
  const stops: Array<Promise<boolean>> = []
  const futures = plan.map(([fate, meddling], index) => {
    const future = submitFor(executor, fate, index)
    future.onDone(() => told[index]!++)
    if (meddling === "interrupt" || meddling === "both") stops.push(future.interrupt())
    if (meddling === "interrupt later") stops.push(turn().then(() => future.interrupt()))
    if (meddling === "cancel" || meddling === "both") future.cancel()
    return future
  })
  const outcomes = await Promise.all(futures.map(outcomeOf))
  await Promise.all(stops)
  const states = futures.map((future) => future.state)
  for (const future of futures) assert.equal(future.cancel(), future.cancelled())
  assert.deepEqual(await Promise.all(futures.map((future) => future.interrupt())), futures.map(() => false))
  await turn()
  assert.deepEqual(futures.map((future) => future.state), states)
  assert.deepEqual(told, plan.map(() => 1))
  outcomes.forEach((outcome, index) => {
    const [fate, meddling] = plan[index]!
    hasOwnOutcome(fate, index, outcome, meddling !== "none")
  })
  const { pending, running } = executor.stats()
  assert.deepEqual({ pending, running }, { pending: 0, running: 0 })
}

const fate = fc.constantFrom<Fate>("succeed", "succeed later", "throw", "reject", "argument", "result", "absent")
const meddling = fc.constantFrom<Meddling>("none", "none", "cancel", "interrupt", "both", "interrupt later")

export const settling = laws("settling", [
  property(
    "Every future settles exactly once, with its own outcome, whatever happens to its neighbours",
    { promises: [5], runs: 60 },
    [fc.array(fc.tuple(fate, meddling), { minLength: 1, maxLength: 24 })],
    async (trial, plan) => {
      await mixed(trial.shared, plan)
    }
  ),
  property(
    "Every future settles exactly once, with its own outcome, also when workers exit under their tasks",
    { promises: [5, 8], needs: ["workers"], runs: 4 },
    [fc.array(fc.tuple(fc.oneof({ weight: 4, arbitrary: fate }, fc.constant("exit" as const)), meddling), {
      minLength: 4,
      maxLength: 16
    })],
    async (trial, plan) => {
      await mixed(trial.shared, plan)
    }
  ),
  law("A future goes from pending to running to an end, and says so consistently", { promises: [5] }, async (trial) => {
    const { future: holder, release } = await occupy(trial)
    const waiting = trial.single.submit(add, 1, 2)
    const failing = trial.single.submit(throwValue, "no")
    const cancelled = trial.single.submit(add, 3, 4)
    isIn(holder, "running")
    isIn(waiting, "pending")
    assert.throws(() => holder.successful(), InvalidStateError)
    assert.throws(() => waiting.successful(), InvalidStateError)
    assert.equal(cancelled.cancel(), true)
    isIn(cancelled, "cancelled")
    release()
    await wait([holder, waiting, failing, cancelled])
    isIn(holder, "succeeded")
    isIn(waiting, "succeeded")
    isIn(failing, "failed")
    isIn(cancelled, "cancelled")
    assert.deepEqual([holder, waiting, failing, cancelled].map((future) => future.successful()), [
      true,
      true,
      false,
      false
    ])
  }),
  property(
    "A cancelled pending call never runs, and the others run in order",
    { promises: [6, 11], runs: 15 },
    [fc.array(fc.boolean(), { minLength: 1, maxLength: 12 })],
    async (trial, cancels) => {
      const { release } = await occupy(trial)
      const notebook = trial.notebook()
      const futures = cancels.map((_, index) => trial.single.submit(note, notebook.path, String(index)))
      const doomed = futures.filter((_, index) => cancels[index])
      assert.deepEqual(doomed.map((future) => future.cancel()), doomed.map(() => true))
      assert.deepEqual(doomed.map((future) => future.cancel()), doomed.map(() => true))
      release()
      await wait(futures)
      assert.deepEqual(notebook.lines(), futures.map((_, index) => String(index)).filter((_, index) => !cancels[index]))
      for (const future of doomed) await failsWith(future.result(), CancelledError, { reason: "cancel" })
    }
  ),
  law("cancel() leaves a running call and a finished one alone", { promises: [6] }, async (trial) => {
    const { future: holder, release } = await occupy(trial)
    assert.equal(holder.cancel(), false)
    isIn(holder, "running")
    release()
    assert.equal(typeof await holder.result(), "string")
    assert.equal(holder.cancel(), false)
    const failed = trial.single.submit(throwValue, 1)
    await failed.wait()
    assert.equal(failed.cancel(), false)
    isIn(failed, "failed")
  }),
  law("A cancelled call wakes everyone who waits for it at once", { promises: [5] }, async (trial) => {
    const { release } = await occupy(trial)
    const future = trial.single.submit(add, 1, 2)
    const result = rejection(future.result())
    const exception = rejection(future.exception())
    const done = future.wait()
    assert.equal(future.cancel(), true)
    assert.ok(await result instanceof CancelledError)
    assert.ok(await exception instanceof CancelledError)
    assert.equal(await done, true)
    release()
  }),
  law("Each call runs at most once", { promises: [6] }, async (trial) => {
    const notebook = trial.notebook()
    const indexes = Array.from({ length: 200 }, (_, index) => String(index))
    await Promise.all(indexes.map((index) => trial.shared.run(note, notebook.path, index)))
    assert.deepEqual(notebook.lines().toSorted(), indexes.toSorted())
  }),
  law(
    "A failure that comes late, and one that ignores being asked, end their own call alone",
    { promises: [5] },
    async (trial) => {
      const signals = await trial.signals()
      const [first, second] = [signals.word(), signals.word()]
      const failing = trial.shared.submit(failAfter, signals.port, first)
      const going = trial.shared.submit(ignoreAsking, signals.port, second)
      await Promise.all([signals.heard(first), signals.heard(second)])
      signals.release(first)
      assert.ok(await failing.exception() instanceof RangeError)
      isIn(going, "running")
      signals.release(second)
      assert.equal(await going.result(), second)
    }
  )
])
