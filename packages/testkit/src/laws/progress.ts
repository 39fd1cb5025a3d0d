/** What a task tells while it runs: reports for whoever follows, lines for people. */
import { Future, Task } from "@futures/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { cloneable } from "../arbitraries.ts"
import { collect, isIn } from "../expect.ts"
import { occupy } from "../held.ts"
import { law, laws, property } from "../Law.ts"
import { assertSame } from "../portrait.ts"
import { readingOutput } from "../reading.ts"
import { add } from "../tasks.ts"
import { throwValue } from "../tasksErrors.ts"
import { logged, reportAndChange, reportAttempt, reportFunction, reporting } from "../tasksStreams.ts"

export const progress = laws("progress", [
  property(
    "progress() yields what the task reports, in order, and ends when the call does",
    { promises: [1], runs: 25 },
    [fc.array(cloneable(), { maxLength: 6 })],
    async (trial, values) => {
      const future = trial.shared.submit(reporting, values)
      const [reports, others] = await Promise.all([
        collect(future.progress()),
        Effect.runPromise(Stream.runCollect(Future.progress(future)))
      ])
      assertSame(reports, structuredClone(values))
      assertSame([...others], structuredClone(values))
      assert.equal(await future.result(), "reported")
    }
  ),
  law(
    "progress() ends with a call that fails, that is cancelled, and that has ended",
    { promises: [] },
    async (trial) => {
      const { future: holder, release } = await occupy(trial)
      const failed = trial.single.submit(throwValue, "no")
      const cancelled = trial.single.submit(add, 1, 2)
      const both = Promise.all([collect(failed.progress()), collect(cancelled.progress())])
      cancelled.cancel()
      release()
      assert.deepEqual(await both, [[], []])
      assert.equal(await failed.exception(), "no")
      await holder.result()
      assert.deepEqual(await collect(holder.progress()), [])
    }
  ),
  law("Whoever follows later gets the latest report first", { promises: [] }, async (trial) => {
    const future = trial.shared.submit(reporting, [1, 2, 3])
    await future.result()
    assert.deepEqual(await collect(future.progress()), [3])
  }),
  law(
    "To leave progress() early changes nothing for the call and for others who follow",
    { promises: [] },
    async (trial) => {
      const future = trial.shared.submit(reporting, [1, 2, 3])
      const all = collect(future.progress())
      for await (const report of future.progress()) {
        assert.equal(report, 1)
        break
      }
      assert.deepEqual(await all, [1, 2, 3])
      assert.equal(await future.result(), "reported")
      isIn(future, "succeeded")
    }
  ),
  law("A report is captured when it is given", { promises: [3] }, async (trial) => {
    assert.deepEqual(await collect(trial.shared.submit(reportAndChange).progress()), [{ n: 1 }])
  }),
  law("A report that cannot travel is refused in the task", { promises: [2] }, async (trial) => {
    assert.equal(await trial.shared.run(reportFunction), "NotPortableError")
  }),
  law("The reports of all attempts of a call are one sequence", { promises: [6] }, async (trial) => {
    const future = trial.shared.submit(Task.with(reportAttempt, { retry: 2 }), 3)
    assert.deepEqual(await collect(future.progress()), [1, 2, 3])
    assert.equal(await future.result(), 3)
  }),
  law(
    "What a task logs is a line on the caller's stdout, marked with its label and id",
    { promises: [14] },
    async (trial) => {
      let id = 0
      const text = await readingOutput("stdout", async () => {
        id = await trial.shared.run(Task.with(logged, { label: "the logger" }), "text")
      })
      assert.equal(text, `[the logger #${id}] text and 5\n`)
    }
  )
])
