/** The span of OpenTelemetry that is active in the caller is active in the task, by the option `context`. */
import { Task } from "@futures/core"
import { context, ROOT_CONTEXT, trace } from "@opentelemetry/api"
import type { SpanContext } from "@opentelemetry/api"
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks"

// The SDK does this where there is one; in each worker, since each imports this module.
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())

/** What travels: plain data, by which a span is known in other processes too. */
export const activeSpan = (): SpanContext | undefined => trace.getSpanContext(context.active())

export const { restoreSpan, weigh } = Task.module(import.meta, {
  /** Runs in the worker, around each call: spans that the task starts are children of the caller's. */
  restoreSpan: (span: SpanContext | undefined, run: () => unknown): unknown =>
    context.with(span === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, span), run),
  weigh: async (text: string): Promise<string> => {
    await new Promise((resolve) => setImmediate(resolve))
    const parent = activeSpan()
    return `${text} weighs ${text.length}, in ${parent === undefined ? "no trace" : `trace ${parent.traceId}`}`
  }
})
