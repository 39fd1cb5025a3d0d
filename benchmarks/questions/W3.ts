/** One call after another. */
import { allReady, percentile } from "../src/measure.ts"
import { question } from "../src/question.ts"

export default question({
  id: "W3",
  title: "One call after another, 2 workers",
  metrics: {
    p50: { label: "there and back, median", unit: "µs", better: "less", main: true },
    p99: { label: "there and back, 99th percentile", unit: "µs", better: "less" }
  },
  full: { calls: 5000, warm: 1000, workers: 2 },
  quick: { calls: 1000, warm: 500, workers: 2 },
  limit: 60,
  ours: ["inline", "thread", "process"],
  bare: { thread: "bare threads", process: "bare processes" },
  measure: async ({ open, size: { calls, warm, workers } }) => {
    const pool = await open({ workers })
    await allReady(pool, workers)
    for (let i = 0; i < warm; i++) await pool.call("noop")
    const took: Array<number> = []
    for (let i = 0; i < calls; i++) {
      const start = performance.now()
      await pool.call("noop")
      took.push((performance.now() - start) * 1000)
    }
    took.sort((a, b) => a - b)
    return { p50: percentile(took, 0.5), p99: percentile(took, 0.99) }
  }
})
