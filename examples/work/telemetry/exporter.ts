import { FetchHttpClient } from "effect/http"
import * as Layer from "effect/Layer"
import { Otlp } from "effect/observability"

/** Sends spans, metrics and logs to a collector, OTLP over HTTP: that of `OTEL_EXPORTER_OTLP_ENDPOINT`, or the one that listens here. */
export const exporter = (serviceName: string) =>
  Otlp.layerJson({
    baseUrl: process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? "http://localhost:4318",
    resource: { serviceName },
    shutdownTimeout: "10 seconds"
  }).pipe(Layer.provide(FetchHttpClient.layer))
