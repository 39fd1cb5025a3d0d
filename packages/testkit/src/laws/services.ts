/** What Effect brings to a task: services, schemas, spans, the executor itself. */
import { CancelledError, Executor, Future, TaskFailedError } from "@futures/core"
import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { collect, failsWith, isError, rejection } from "../expect.ts"
import { failure, on } from "../faces.ts"
import { law, laws } from "../Law.ts"
import {
  addMoney,
  addTogether,
  earn,
  interruptItself,
  ledgerPath,
  lookAround,
  Money,
  Overdrawn,
  runNested,
  runNestedFailure,
  runUntilAsked,
  spend,
  writeDown
} from "../tasksServices.ts"
import type { Trial } from "../Trial.ts"

/** Runs calls that write into the ledger, and answers with what stands in it in the end. `env` is for executors whose workers do not run here. */
const withLedger = async (
  trial: Trial,
  body: (env: Readonly<Record<string, string>>) => Promise<void>
): Promise<Array<string>> => {
  const notebook = trial.notebook()
  process.env[ledgerPath] = notebook.path
  try {
    await body({ [ledgerPath]: notebook.path })
  } finally {
    delete process.env[ledgerPath]
  }
  return notebook.lines()
}

const euros = (amount: number): Money => new Money({ amount, currency: "EUR" })

export const services = laws("services", [
  law(
    "The layer of a module is built once in a worker, and released when that ends",
    { promises: [14] },
    async (trial) => {
      const lines = await withLedger(trial, async (env) => {
        for (const line of ["1", "2"]) {
          const executor = trial.open({ maxWorkers: 1, env })
          assert.equal(await executor.run(writeDown, `${line}a`), `${line}a`)
          assert.equal(await executor.run(writeDown, `${line}b`), `${line}b`)
          await executor.shutdown()
        }
      })
      assert.deepEqual(lines, ["open", "1a", "1b", "close", "open", "2a", "2b", "close"])
    }
  ),
  law("Calls that come together build the layer of their module once", { promises: [] }, async (trial) => {
    const lines = await withLedger(trial, async (env) => {
      const executor = trial.open({ maxWorkers: 1, concurrency: 3, env })
      await Promise.all(["1", "2", "3"].map((line) => executor.run(writeDown, line)))
      await executor.shutdown()
    })
    assert.deepEqual([lines[0], lines.slice(1, -1).toSorted(), lines.at(-1)], ["open", ["1", "2", "3"], "close"])
  }),
  law("A layer is of use to one executor when another has ended", { promises: [14] }, async (trial) => {
    const lines = await withLedger(trial, async (env) => {
      const [first, second] = [trial.open({ maxWorkers: 1, env }), trial.open({ maxWorkers: 1, env })]
      await first.run(writeDown, "first")
      await second.run(writeDown, "second")
      await first.shutdown()
      await second.run(writeDown, "second again")
      await second.shutdown()
    })
    assert.ok(lines.includes("second again"), lines.join("; "))
    assert.equal(lines.filter((line) => line === "open").length, lines.filter((line) => line === "close").length)
  }),
  law("With schemas instances arrive as instances, both ways", { promises: [2] }, async (trial) => {
    const sum = await trial.shared.run(addMoney, euros(1), euros(2))
    assert.ok(sum instanceof Money)
    assert.deepEqual(sum, euros(3))
    assert.ok(sum.plus(sum) instanceof Money)
    const effect = await on(trial.shared, Executor.run(addMoney, euros(1), euros(2)))
    assert.ok(effect instanceof Money)
    assert.deepEqual(await trial.shared.run(spend, euros(5), 2), euros(3))
    const pairs = [1, 2, 3].map((amount) => ({ one: euros(amount), other: euros(1) }))
    const mapped = await collect(trial.shared.map(addTogether, pairs, { chunkSize: 2 }))
    assert.ok(mapped.every((each) => each instanceof Money))
    assert.deepEqual(mapped, [euros(2), euros(3), euros(4)])
    const tuples = await collect(trial.shared.starmap(addMoney, [[euros(1), euros(1)], [euros(2), euros(2)]]))
    assert.deepEqual(tuples, [euros(2), euros(4)])
  }),
  law("With schemas a typed failure arrives as an instance, with instances in it", { promises: [5] }, async (trial) => {
    const program = Effect.catchTag(
      Executor.run(spend, euros(1), 4),
      "Overdrawn",
      ({ by }: Overdrawn) => Effect.succeed(by)
    )
    const by = await on(trial.shared, program)
    assert.ok(by instanceof Money)
    assert.deepEqual(by, euros(3))
    const error = isError(await rejection(trial.shared.run(spend, euros(1), 4)), Overdrawn)
    assert.ok(error.by instanceof Money)
  }),
  law(
    "Input that does not fit its schema fails its own call with the schema's error",
    { promises: [2] },
    async (trial) => {
      const wrong = trial.shared.run(addMoney, euros(1), { amount: 1.5, currency: "EUR" } as Money)
      assert.equal((await rejection(wrong) as Error).name, "SchemaError")
      const error = await on(trial.shared, failure(Executor.run(addMoney, euros(1), "money" as never)))
      assert.equal((isError(error, TaskFailedError).cause as Error).name, "SchemaError")
      assert.equal((await rejection(trial.shared.run(earn, 0)) as Error).name, "SchemaError")
      assert.deepEqual(await trial.shared.run(earn, 2), euros(2))
      const items = [euros(1), "money" as never, euros(3)].map((one) => ({ one, other: euros(1) }))
      const outcomes = await collect(trial.shared.mapSettled(addTogether, items, { chunkSize: 1 }))
      assert.deepEqual(outcomes.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"])
    }
  ),
  law("The caller's span is the parent of the task's, and log annotations travel", { promises: [] }, async (trial) => {
    const seen = on(
      trial.shared,
      Effect.gen(function*() {
        const span = yield* Effect.currentSpan
        const handed = yield* Executor.submit(lookAround)
        return { span, run: yield* Executor.run(lookAround), submit: yield* Future.result(handed) }
      }).pipe(Effect.withSpan("the caller"), Effect.annotateLogs({ request: 7 }))
    )
    const { run, span, submit } = await seen
    for (const { annotations, parent } of [run, submit]) {
      assert.deepEqual(parent, { traceId: span.traceId, spanId: span.spanId })
      assert.deepEqual(annotations, { request: 7 })
    }
    assert.deepEqual(await trial.shared.run(lookAround), { parent: undefined, annotations: {} })
  }),
  law("With tracing false neither span nor annotations travel", { promises: [] }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1, tracing: false })
    const seen = await on(
      executor,
      Executor.run(lookAround).pipe(Effect.withSpan("the caller"), Effect.annotateLogs({ request: 7 }))
    )
    assert.deepEqual(seen, { parent: undefined, annotations: {} })
  }),
  law("Within a task's Effect the statics find the executor that it runs on", { promises: [17] }, async (trial) => {
    assert.deepEqual(await trial.single.run(runNested, [1, 2, 3]), [2, 4, 6])
    assert.deepEqual(await on(trial.single, Executor.run(runNestedFailure, "x")), ["here", "there"])
  }),
  law(
    "To interrupt a task is to interrupt what its Effect runs on the executor",
    { promises: [7, 17] },
    async (trial) => {
      const signals = await trial.signals()
      const word = signals.word()
      const future = trial.single.submit(runUntilAsked, signals.port, word)
      await signals.heard(word)
      assert.equal(await future.interrupt({ grace: "15 seconds" }), true)
      assert.deepEqual(signals.words(), [word, `${word} cleaned up`])
      await failsWith(future.result(), CancelledError, { reason: "interrupt" })
    }
  ),
  law("A task whose Effect interrupts itself is cancelled", { promises: [5] }, async (trial) => {
    await failsWith(trial.shared.run(interruptItself), CancelledError, { reason: "interrupt" })
  })
])
