// A trace goes on in the workers.
import { Executor } from "@futures/core"
import { context, trace, TraceFlags } from "@opentelemetry/api"
import { backend, backends } from "../../backends.ts"
import { activeSpan, restoreSpan, weigh } from "./tasks.ts"

await using executor = Executor.open(backends, {
  backend,
  maxWorkers: 2,
  context: { capture: activeSpan, restore: restoreSpan }
})

// `tracer.startActiveSpan` of an SDK makes such a span, and exports it.
const span = trace.wrapSpanContext({
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: TraceFlags.SAMPLED
})
console.log(await context.with(trace.setSpan(context.active(), span), () => executor.run(weigh, "gold")))
console.log(await executor.run(weigh, "air"))
