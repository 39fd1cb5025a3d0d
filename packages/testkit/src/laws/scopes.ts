/** Executors that live as long as a scope, and calls as long as a fiber. */
import { Executor } from "@futures/core"
import type { Future } from "@futures/core"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import assert from "node:assert/strict"
import { isIn } from "../expect.ts"
import { failure, on, underLayer } from "../faces.ts"
import { law, laws } from "../Law.ts"
import { add, note } from "../tasks.ts"
import { finalize, findIn } from "../tasksEffect.ts"
import { stopWhenAsked } from "../tasksSignals.ts"

export const scopes = laws("scopes", [
  law(
    "Under a layer the statics find their executor, and it ends with the layer",
    { promises: [14] },
    async (trial) => {
      const { executor, future, sum, tried } = await underLayer(
        trial,
        Effect.gen(function*() {
          const missing = Executor.run(findIn, ["a"], "b")
          return {
            executor: yield* Executor,
            future: yield* Executor.submit(add, 1, 2),
            sum: yield* Executor.run(add, 3, 4),
            tried: yield* Effect.catchTag(missing, "Missing", (error) => Effect.succeed(error.tried))
          }
        })
      )
      assert.deepEqual([sum, tried], [7, ["a"]])
      isIn(future, "succeeded")
      isIn(executor.submit(add, 1, 2), "failed")
      assert.equal(executor.stats().workers, 0)
    }
  ),
  law("A scope that is closed by success waits for everything", { promises: [14] }, async (trial) => {
    const notebook = trial.notebook()
    const futures = await underLayer(
      trial,
      Effect.forEach(["1", "2", "3"], (line) => Executor.submit(note, notebook.path, line))
    )
    assert.deepEqual(futures.map((future) => future.state), ["succeeded", "succeeded", "succeeded"])
    assert.deepEqual(notebook.lines(), ["1", "2", "3"])
  }),
  law(
    "A scope that is closed by failure cancels what is pending and interrupts what runs",
    { promises: [7, 14] },
    async (trial) => {
      const signals = await trial.signals()
      const word = signals.word()
      const submitted: Array<Future<unknown>> = []
      const failed = await Effect.runPromise(failure(Effect.scoped(Effect.gen(function*() {
        const executor = yield* trial.executor.make({ maxWorkers: 1 })
        submitted.push(executor.submit(stopWhenAsked, signals.port, word), executor.submit(add, 1, 2))
        yield* Effect.promise(() => signals.heard(word))
        return yield* Effect.fail("the body failed" as const)
      }))))
      assert.equal(failed, "the body failed")
      assert.deepEqual(submitted.map((future) => future.state), ["cancelled", "cancelled"])
      assert.deepEqual(signals.words(), [word, `${word} cleaned up`])
    }
  ),
  law(
    "Interrupting Executor.run interrupts its task, and waits until it has cleaned up",
    { promises: [7] },
    async (trial) => {
      const signals = await trial.signals()
      for (const task of [stopWhenAsked, finalize]) {
        const word = signals.word()
        const exit = await on(
          trial.single,
          Effect.gen(function*() {
            const fiber = yield* Effect.forkChild(Executor.run(task as typeof finalize, signals.port, word))
            yield* Effect.promise(() => signals.heard(word))
            yield* Fiber.interrupt(fiber)
            assert.ok(signals.words().includes(`${word} cleaned up`))
            return yield* Fiber.await(fiber)
          })
        )
        assert.ok(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
      }
      assert.equal(await trial.single.run(add, 1, 2), 3)
    }
  ),
  law("interrupt() runs the finalizers of a task's Effect", { promises: [7] }, async (trial) => {
    const signals = await trial.signals()
    const word = signals.word()
    const future = trial.single.submit(finalize, signals.port, word)
    await signals.heard(word)
    assert.equal(await future.interrupt({ grace: "15 seconds" }), true)
    assert.deepEqual(signals.words(), [word, `${word} cleaned up`])
    isIn(future, "cancelled")
  }),
  law("Executor.shutdown, terminate and stats are the executor's own", { promises: [14] }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1 })
    const future = executor.submit(add, 1, 2)
    assert.equal((await on(executor, Executor.stats)).pending, 1)
    await on(executor, Executor.shutdown())
    isIn(future, "succeeded")
    await on(executor, Executor.terminate)
  }),
  law("Executor.open and layerConfig choose a backend by its name", { promises: [] }, async (trial) => {
    const backends = { [trial.name]: trial.executor }
    await using executor = Executor.open(backends, { backend: trial.name, maxWorkers: 1 })
    assert.ok(executor instanceof trial.executor)
    assert.throws(() => Executor.open(backends, { backend: "absent" }), {
      _tag: "InvalidOptionError",
      option: "backend"
    })
    assert.equal(await Effect.runPromise(Effect.provide(Executor.run(add, 1, 2), Executor.layerConfig(backends))), 3)
  })
])
