import { Task } from "@futures/core"
import * as Effect from "effect/Effect"
import { exporter } from "./exporter.ts"

export const { priceOf } = Task.module(import.meta, {
  /** What an article costs, in cents. */
  priceOf: (article: string): Effect.Effect<number> =>
    Effect.sync(() => article.length * 100).pipe(Effect.withSpan("look up the price", { attributes: { article } }))
}, { layer: exporter("shop-worker") })
