/** Starting, being ready, idling, closing; and what importing the library costs. */
import { setTimeout } from "node:timers/promises"
import { allReady, memory } from "../src/measure.ts"
import { question } from "../src/question.ts"

export default question({
  id: "W7",
  title: "Start and end of 2 workers",
  metrics: {
    first: { label: "to the first result", unit: "ms", better: "less", main: true },
    ready: { label: "until both workers have answered", unit: "ms", better: "less", main: true },
    imported: { label: "importing the library", unit: "ms", better: "less", main: true },
    memory: { label: "memory of an idle worker", unit: "MiB", better: "less", main: true },
    close: { label: "closing", unit: "ms", better: "less" }
  },
  full: { workers: 2 },
  quick: { workers: 2 },
  starts: true,
  limit: 30,
  ours: ["thread", "process"],
  bare: { thread: "bare threads", process: "bare processes" },
  measure: async ({ imported, open, size: { workers } }) => {
    const without = memory()
    const start = performance.now()
    const pool = await open({ workers, long: true })
    const first = await allReady(pool, workers) - start
    const ready = performance.now() - start
    await setTimeout(200)
    const each = (memory() - without) / workers
    const closing = performance.now()
    await pool.close()
    return { first, ready, imported, memory: each, close: performance.now() - closing }
  }
})
