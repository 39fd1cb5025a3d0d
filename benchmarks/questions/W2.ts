/** A hundred thousand calls that do nothing, handed in at once; and how long the caller's event loop stands still meanwhile (W9). */
import { allReady, many, peakMemory, watchLoop } from "../src/measure.ts"
import { question } from "../src/question.ts"
import type { Question } from "../src/question.ts"

export const metrics: Question["metrics"] = {
  rate: { label: "calls", unit: "calls/s", better: "more", main: true },
  stall: { label: "longest stall of the caller's event loop (W9)", unit: "ms", better: "less", main: true },
  submit: { label: "handing in", unit: "µs/call", better: "less" },
  memory: { label: "peak memory", unit: "MiB", better: "less" }
}

export const measure: Question<{ readonly calls: number; readonly workers: number }>["measure"] = async (
  { open, size: { calls, workers } }
) => {
  const pool = await open({ workers })
  await allReady(pool, workers)
  const start = performance.now()
  const running = many(pool, "noop", calls)
  const submitted = performance.now()
  const stalled = watchLoop()
  await running
  const end = performance.now()
  return {
    rate: calls / (end - start) * 1000,
    stall: stalled(),
    submit: (submitted - start) / calls * 1000,
    memory: peakMemory()
  }
}

export default question({
  id: "W2",
  title: "100,000 calls that do nothing, handed in at once, 2 workers",
  metrics,
  full: { calls: 100_000, workers: 2 },
  quick: { calls: 10_000, workers: 2 },
  limit: 30,
  ours: ["inline", "thread", "process"],
  bare: { thread: "bare threads, batched", process: "bare processes" },
  measure
})
