/** A map over tiny items. Who has no chunked map is asked a tenth, call by call. */
import { allReady, peakMemory } from "../src/measure.ts"
import { question } from "../src/question.ts"

export default question({
  id: "W4",
  title: "Map over 1,000,000 numbers, 2 workers",
  metrics: {
    rate: { label: "items", unit: "items/s", better: "more", main: true },
    memory: { label: "peak memory", unit: "MiB", better: "less" }
  },
  full: { items: 1_000_000, workers: 2 },
  quick: { items: 100_000, workers: 2 },
  limit: 60,
  ours: ["inline", "thread", "process", "thread, Effect", "process, Effect"],
  bare: { thread: "bare threads, batched", process: "bare processes" },
  measure: async ({ open, size: { items, workers } }) => {
    const pool = await open({ workers })
    await allReady(pool, workers)
    const count = pool.map === undefined ? items / 10 : items
    const input = Array.from({ length: count }, (_, i) => i)
    const start = performance.now()
    let sum = 0
    if (pool.map === undefined) {
      for (const value of await Promise.all(input.map((item) => pool.call("double", item)))) sum += value as number
    } else sum = await pool.map("double", input)
    const end = performance.now()
    if (sum !== count * (count - 1)) throw new Error(`the sum is ${sum}`)
    return { rate: count / (end - start) * 1000, memory: peakMemory() }
  }
})
