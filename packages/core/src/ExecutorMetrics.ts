/**
 * Effect metrics of the executors of this process.
 *
 * ```ts
 * import * as ExecutorMetrics from "@futures/core/ExecutorMetrics"
 *
 * program.pipe(Effect.provide(ExecutorMetrics.layer))
 * ```
 *
 * The layer listens to what executors tell on `node:diagnostics_channel`, those of the promise face included; without it nothing is measured. Units and
 * names are those of OpenTelemetry: seconds, `code.function.name`, `error.type`.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import type { CallEvent, CallRetryEvent, CallSettleEvent, ExecutorEvent, ExecutorEvents } from "./engine/events.ts"

/** Seconds: from a tenth of a millisecond, which a hand-over takes, to ten minutes. */
const boundaries = [1e-4, 5e-4, 1e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600]

/** Calls that have their outcome, by `futures.call.outcome` and, when they failed, `error.type`. */
export const calls = Metric.counter("futures.calls", {
  description: "Calls that have their outcome",
  attributes: { unit: "{call}" },
  incremental: true
})

/** How long calls waited until their first attempt began, in seconds. */
export const waitDuration = Metric.histogram("futures.call.wait.duration", {
  description: "How long calls waited until their first attempt began",
  attributes: { unit: "s" },
  boundaries
})

/** How long attempts took in their workers, in seconds. */
export const runDuration = Metric.histogram("futures.call.run.duration", {
  description: "How long attempts took in their workers",
  attributes: { unit: "s" },
  boundaries
})

/** Attempts that failed and were followed by another. */
export const retries = Metric.counter("futures.call.retries", {
  description: "Attempts that failed and were followed by another",
  attributes: { unit: "{attempt}" },
  incremental: true
})

/** The depth of the queue: calls that have not started. */
export const pending = Metric.counter("futures.call.pending", {
  description: "Calls that have not started",
  attributes: { unit: "{call}" }
})

/** Calls that are in the hands of workers. */
export const running = Metric.counter("futures.call.running", {
  description: "Calls that are in the hands of workers",
  attributes: { unit: "{call}" }
})

/** Workers that live, those still starting included. */
export const workers = Metric.counter("futures.worker.count", {
  description: "Workers that live, those still starting included",
  attributes: { unit: "{worker}" }
})

/** Workers that took the place of one that was lost. */
export const restarts = Metric.counter("futures.worker.restarts", {
  description: "Workers that took the place of one that was lost",
  attributes: { unit: "{worker}" },
  incremental: true
})

/** What was last seen of an executor. */
interface Seen {
  pending: number
  running: number
  workers: number
  /** Workers that were lost and have no successor yet. */
  lost: number
}

type Attributes = Readonly<Record<string, string>>

const ofExecutor = ({ executor }: ExecutorEvent): Attributes => ({
  "futures.executor.name": executor.name,
  "futures.executor.backend": executor.backend
})

const ofTask = (event: CallEvent): Attributes => ({
  ...ofExecutor(event),
  "code.function.name": event.call.task.name
})

/** What kind of error it is: of few kinds, as a label must be. */
const errorType = (error: unknown): string => {
  if (typeof error !== "object" || error === null) return typeof error
  const { _tag, name } = error as { readonly _tag?: unknown; readonly name?: unknown }
  return String(_tag ?? name ?? "object")
}

const record = (
  context: Context.Context<never>
): { readonly [K in keyof ExecutorEvents]: (event: ExecutorEvents[K]) => void } => {
  const executors = new Map<number, Seen>()
  const add = <Input>(metric: Metric.Metric<Input, unknown>, input: Input, attributes: Attributes): void =>
    Metric.withAttributes(metric, attributes).updateUnsafe(input, context)
  /** Brings the levels to what the event says they are. Sums of what changed, so that executors of one name add up. */
  const look = (event: ExecutorEvent, lost = 0): Seen => {
    const { executor: { id }, stats } = event
    let seen = executors.get(id)
    if (seen === undefined) executors.set(id, seen = { pending: 0, running: 0, workers: 0, lost: 0 })
    seen.lost += lost
    const attributes = ofExecutor(event)
    for (const [level, metric] of levels) {
      if (stats[level] !== seen[level]) add(metric, stats[level] - seen[level], attributes)
      seen[level] = stats[level]
    }
    if (stats.pending + stats.running + stats.workers + seen.lost === 0) executors.delete(id)
    return seen
  }
  const measure = (event: CallRetryEvent | CallSettleEvent): void => {
    const { call: { attempt, startedAt, submittedAt }, ran } = event
    if (startedAt === undefined) return
    if (attempt === 1) add(waitDuration, (startedAt - submittedAt) / 1_000, ofTask(event))
    add(runDuration, ran! / 1_000, ofTask(event))
  }
  return {
    "futures:call:submit": (event) => void look(event),
    "futures:call:start": (event) => void look(event),
    "futures:call:retry": (event) => {
      look(event)
      measure(event)
      add(retries, 1, { ...ofTask(event), "error.type": errorType(event.error) })
    },
    "futures:call:settle": (event) => {
      look(event)
      measure(event)
      const outcome = { ...ofTask(event), "futures.call.outcome": event.outcome }
      add(calls, 1, event.error === undefined ? outcome : { ...outcome, "error.type": errorType(event.error) })
    },
    "futures:worker:start": (event) => {
      const seen = look(event)
      if (seen.lost === 0) return
      seen.lost--
      add(restarts, 1, ofExecutor(event))
    },
    "futures:worker:ready": (event) => void look(event),
    "futures:worker:exit": (event) => void look(event, event.reason === "stopped" ? 0 : 1)
  }
}

const levels = [["pending", pending], ["running", running], ["workers", workers]] as const

/**
 * Measures while it lives, into the `MetricRegistry` that it is built with. An exporter such as `OtlpMetrics.layer` of `effect/observability` takes
 * it from there.
 */
export const layer: Layer.Layer<never> = Layer.effectDiscard(Effect.acquireRelease(
  Effect.contextWith((context: Context.Context<never>) =>
    Effect.sync(() => {
      const listeners = Object.entries(record(context)) as Array<[string, (event: unknown) => void]>
      for (const [channel, listener] of listeners) subscribe(channel, listener)
      return listeners
    })
  ),
  (listeners) =>
    Effect.sync(() => {
      for (const [channel, listener] of listeners) unsubscribe(channel, listener)
    })
))
