/** The spans of calls, for Effect programs with a tracer. */
import { Executor, Future, Task } from "@futures/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import assert from "node:assert/strict"
import { law, laws } from "../Law.ts"
import { add, double } from "../tasks.ts"
import { throwUntil } from "../tasksAttempts.ts"
import { throwValue } from "../tasksErrors.ts"
import { lookAround, lookAroundInside } from "../tasksServices.ts"
import { waitFor } from "../tasksSignals.ts"
import { count } from "../tasksStreams.ts"

/** Runs an Effect on an executor, and answers with the spans that were made, in the order in which they began. */
const tracing = async <A, E>(
  executor: Executor,
  effect: Effect.Effect<A, E, Executor>
): Promise<{ readonly result: A; readonly spans: ReadonlyArray<Tracer.Span> }> => {
  const spans: Array<Tracer.Span> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const result = await Effect.runPromise(
    effect.pipe(
      Effect.withSpan("the caller"),
      Effect.provideService(Executor, executor),
      Effect.provideService(Tracer.Tracer, tracer)
    )
  )
  return { result, spans }
}

/** Each span by its name, and that of its parent. */
const lineage = (spans: ReadonlyArray<Tracer.Span>): Array<string> =>
  spans.map(({ name, parent }) => {
    const above = Option.isSome(parent) ? spans.find(({ spanId }) => spanId === parent.value.spanId)?.name : undefined
    return above === undefined ? name : `${name} < ${above}`
  })

const areEnded = (spans: ReadonlyArray<Tracer.Span>): void => {
  for (const { name, status } of spans) assert.equal(status._tag, "Ended", name)
}

const outcomeOf = ({ status }: Tracer.Span): string => status._tag === "Ended" ? status.exit._tag : status._tag

export const spans = laws("spans", [
  law(
    "A call has a span beneath the caller's, and beneath that one for the queue and one for the run, which is the parent of the task's",
    { promises: [] },
    async (trial) => {
      const { result, spans: made } = await tracing(trial.shared, Executor.run(lookAround))
      assert.deepEqual(lineage(made), [
        "the caller",
        "submit lookAround < the caller",
        "queue lookAround < submit lookAround",
        "run lookAround < submit lookAround"
      ])
      areEnded(made)
      const [, submit, queue, run] = made
      assert.deepEqual(result.parent, { traceId: run!.traceId, spanId: run!.spanId })
      assert.equal(submit!.attributes.get("code.function.name"), "lookAround")
      assert.equal(run!.attributes.get("futures.call.attempt"), 1)
      const times = [queue, run].flatMap((span) =>
        span!.status._tag === "Ended" ? [span!.status.startTime, span!.status.endTime] : []
      )
      assert.deepEqual(times, times.toSorted((a, b) => Number(a - b)))
    }
  ),
  law("Each attempt has a span of its own, and those that failed say so", { promises: [6] }, async (trial) => {
    const { spans: made } = await tracing(
      trial.shared,
      Executor.run(Task.with(throwUntil, { retry: 3 }), trial.notebook().path, 2)
    )
    areEnded(made)
    assert.deepEqual(made.slice(1).map((span) => [span.name, outcomeOf(span)]), [
      ["submit throwUntil", "Success"],
      ["queue throwUntil", "Success"],
      ["run throwUntil", "Failure"],
      ["queue throwUntil", "Success"],
      ["run throwUntil", "Success"]
    ])
  }),
  law("The spans of a call that fails, or never starts, end with it", { promises: [5] }, async (trial) => {
    const failed = await tracing(trial.shared, Effect.flatMap(Executor.submit(throwValue, "no"), Future.wait))
    areEnded(failed.spans)
    assert.deepEqual(failed.spans.slice(1).map(outcomeOf), ["Failure", "Success", "Failure"])
    const signals = await trial.signals()
    const word = signals.word()
    const holder = trial.single.submit(waitFor, signals.port, word)
    await signals.heard(word)
    const cancelled = await tracing(trial.single, Effect.flatMap(Executor.submit(add, 1, 2), Future.cancel))
    areEnded(cancelled.spans)
    assert.deepEqual(lineage(cancelled.spans), ["the caller", "submit add < the caller", "queue add < submit add"])
    assert.deepEqual(cancelled.spans.slice(1).map(outcomeOf), ["Failure", "Failure"])
    signals.release(word)
    await holder.result()
  }),
  law("The chunks of a map and a generator have spans as calls have", { promises: [12] }, async (trial) => {
    const mapped = await tracing(trial.shared, Stream.runDrain(Executor.map(double, [1, 2, 3, 4], { chunkSize: 2 })))
    areEnded(mapped.spans)
    assert.equal(lineage(mapped.spans).filter((each) => each === "submit double < the caller").length, 2)
    assert.equal(lineage(mapped.spans).filter((each) => each === "run double < submit double").length, 2)
    const streamed = await tracing(trial.shared, Stream.runDrain(Executor.stream(count, 3)))
    areEnded(streamed.spans)
    assert.ok(lineage(streamed.spans).includes("run count < submit count"))
  }),
  law("A call that a task hands in is beneath the task's own span", { promises: [17] }, async (trial) => {
    const { result, spans: made } = await tracing(trial.single, Executor.run(lookAroundInside))
    const run = made.find(({ name }) => name === "run lookAroundInside")!
    assert.deepEqual(result.parent, { traceId: run.traceId, spanId: run.spanId })
  }),
  law("With tracing false a call has no spans", { promises: [] }, async (trial) => {
    const executor = trial.open({ maxWorkers: 1, tracing: false })
    assert.deepEqual(lineage((await tracing(executor, Executor.run(add, 1, 2))).spans), ["the caller"])
  })
])
