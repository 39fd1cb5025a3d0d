// Sends the spans and metrics of an executor, and the spans of its workers, to an OpenTelemetry collector.
//
//   docker run --rm -p 3000:3000 -p 4318:4318 grafana/otel-lgtm &
//   node examples/work/telemetry/main.ts

import { Executor } from "@futures/core"
import * as ExecutorMetrics from "@futures/core/ExecutorMetrics"
import * as Effect from "effect/Effect"
import { backend, backends } from "../../backends.ts"
import { exporter } from "./exporter.ts"
import { priceOf } from "./tasks.ts"

const program = Effect.gen(function*() {
  const prices = yield* Effect.forEach(["bread", "milk", "apples"], (article) => Executor.run(priceOf, article), {
    concurrency: "unbounded"
  })
  console.log(`total: ${prices.reduce((sum, price) => sum + price, 0)}`)
}).pipe(Effect.withSpan("order"))

// A worker sends its last spans when it ends: it is given time for that.
await using executor = Executor.open(backends, { backend, name: "shop", maxWorkers: 1, grace: "10 seconds" })
await Effect.runPromise(
  program.pipe(
    Effect.provideService(Executor, executor),
    Effect.provide([ExecutorMetrics.layer, exporter("shop")])
  )
)
