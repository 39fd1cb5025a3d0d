/** Many engines of one slot, as `futures-cluster start -n` makes them: calls that do nothing, and a cold start on all of them. */
import { closed, many } from "../src/measure.ts"
import { question } from "../src/question.ts"

export default question({
  id: "W12",
  title: "4 to 32 engines of one slot",
  metrics: {
    cold: { label: "2 calls of 1 s for each engine, without a worker", unit: "s", better: "less", main: true },
    used: { label: "engines that these calls used", unit: "", better: "more" },
    noop: { label: "20,000 calls that do nothing", unit: "s", better: "less", main: true }
  },
  full: { calls: 20_000 },
  quick: { calls: 2000 },
  limit: 120,
  ours: ["4 engines", "8 engines", "16 engines", "32 engines"],
  bare: {},
  peers: [],
  python: [],
  measure: async ({ open, size: { calls } }) => {
    const pool = await open({ workers: 0 })
    const engines = pool.distinct!
    const timed = async <A>(run: () => Promise<A>): Promise<readonly [seconds: number, value: A]> => {
      const start = performance.now()
      const value = await run()
      return [(performance.now() - start) / 1000, value]
    }
    const [cold, ids] = await timed(() =>
      Promise.all(Array.from({ length: 2 * engines }, () => pool.call("sleep", 1000)))
    )
    const [noop] = await timed(() => many(pool, "noop", calls))
    await closed(pool)
    return { cold, used: new Set(ids).size, noop }
  }
})
