/** What a call costs as there are more of them, or more workers; and what cancelling a tenth of them costs. */
import type { Pool } from "../src/contender.ts"
import { allReady, closed, many, percentile } from "../src/measure.ts"
import { question } from "../src/question.ts"
import type { Metric } from "../src/question.ts"

const cost = (label: string): Metric => ({ label, unit: "µs/call", better: "less", main: true })

export default question({
  id: "W10",
  title: "The cost of a call as calls and workers grow",
  metrics: {
    calls1: cost("1,000 calls"),
    calls10: cost("10,000 calls"),
    calls100: cost("100,000 calls"),
    calls1000: cost("1,000,000 calls"),
    growth: { label: "cost at 1,000,000 / cost at 1,000", unit: "", better: "less", main: true },
    workers4: cost("20,000 calls, 4 workers"),
    workers8: cost("20,000 calls, 8 workers"),
    workers16: cost("20,000 calls, 16 workers"),
    cancelled: cost("100,000 calls, a tenth of them cancelled")
  },
  full: { thousands: 1000 },
  quick: { thousands: 10 },
  limit: 120,
  ours: ["thread", "process"],
  bare: { thread: "bare threads, batched", process: "bare processes" },
  peers: ["poolifier"],
  python: [],
  measure: async ({ open, size: { thousands } }) => {
    const found: Record<string, number> = {}
    /** Microseconds a call: the median of some runs, of few where they are long. */
    const each = async (calls: number, run: () => Promise<unknown>): Promise<number> => {
      const took: Array<number> = []
      for (let i = 0; i < (calls <= 10_000 ? 5 : 1); i++) {
        const start = performance.now()
        await run()
        took.push((performance.now() - start) / calls * 1000)
      }
      return percentile(took.toSorted((a, b) => a - b), 0.5)
    }
    const opened = async (workers: number): Promise<Pool> => {
      const pool = await open({ workers })
      await allReady(pool, workers)
      await many(pool, "noop", 10_000)
      return pool
    }
    const two = await opened(2)
    for (const count of [1, 10, 100, 1000]) {
      if (count > thousands) continue
      found[`calls${count}`] = await each(count * 1000, () => many(two, "noop", count * 1000))
    }
    if (thousands >= 1000) found["growth"] = found["calls1000"]! / found["calls1"]!
    const cancelled = Math.min(thousands, 100) * 1000
    if (two.cancelTenth !== undefined) {
      found["cancelled"] = await each(cancelled, () => two.cancelTenth!("noop", cancelled))
    }
    await closed(two)
    for (const workers of [4, 8, 16]) {
      const pool = await opened(workers)
      const calls = Math.min(thousands, 20) * 1000
      found[`workers${workers}`] = await each(calls, () => many(pool, "noop", calls))
      await closed(pool)
    }
    return found
  }
})
