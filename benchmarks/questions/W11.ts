/** Calls over links: what remains of the rate, and of the time of the workers, when engines are far away. */
import { allReady, closed, many } from "../src/measure.ts"
import { question } from "../src/question.ts"
import type { Metric } from "../src/question.ts"

const share = (label: string): Metric => ({ label, unit: "share of ideal", better: "more", main: true })

export default question({
  id: "W11",
  title: "Calls over links of 0 to 80 ms, on a cluster of 2 engines of 2 slots",
  metrics: {
    rate: { label: "20,000 calls that do nothing", unit: "calls/s", better: "more", main: true },
    ten: share("calls of 10 ms"),
    two: share("calls of 2 ms")
  },
  full: { calls: 20_000, ten: 100, two: 500 },
  quick: { calls: 2000, ten: 20, two: 50 },
  limit: 120,
  ours: ["round trip 0 ms", "round trip 4 ms", "round trip 20 ms", "round trip 80 ms"],
  bare: {},
  peers: [],
  python: [],
  measure: async ({ open, size: { calls, ten, two } }) => {
    const pool = await open({ workers: 4 })
    const workers = pool.distinct!
    await allReady(pool, workers)
    const timed = async (count: number, call: () => Promise<unknown>): Promise<number> => {
      const start = performance.now()
      await Promise.all(Array.from({ length: count }, call))
      return performance.now() - start
    }
    // The compiler and the window warm up.
    await many(pool, "noop", calls)
    const rate = calls / (await timed(calls, () => pool.call("noop"))) * 1000
    // `perWorker` calls, one after another, are the ideal.
    const shareOf = async (millis: number, perWorker: number): Promise<number> =>
      perWorker * millis / await timed(perWorker * workers, () => pool.call("sleep", millis))
    const found = { rate, ten: await shareOf(10, ten), two: await shareOf(2, two) }
    await closed(pool)
    return found
  }
})
