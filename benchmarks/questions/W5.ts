/** Bytes there and back, one call in flight, one worker; copied, and moved where that can be done. */
import { allReady, percentile } from "../src/measure.ts"
import { question } from "../src/question.ts"
import type { Metric } from "../src/question.ts"

const speed = (label: string): Metric => ({
  label: `${label}, copied`,
  unit: "MB/s both ways",
  better: "more",
  main: true
})

const sizes = [["KB1", 1, 200], ["KB64", 64, 50], ["MB1", 1024, 20], ["MB16", 16_384, 5], ["MB64", 65_536, 3]] as const

export default question({
  id: "W5",
  title: "Bytes there and back, one call at a time, 1 worker",
  metrics: {
    KB1: speed("1 KB"),
    KB64: speed("64 KB"),
    MB1: speed("1 MB"),
    MB16: speed("16 MB"),
    MB64: speed("64 MB"),
    moved: { label: "64 MB, moved", unit: "ms", better: "less", main: true }
  },
  full: { largest: 65_536 },
  quick: { largest: 1024 },
  limit: 60,
  ours: ["inline", "thread", "process"],
  // Python's threads copy nothing.
  python: ["ProcessPoolExecutor", "multiprocessing.Pool"],
  bare: { thread: "bare threads", process: "bare processes" },
  measure: async ({ open, size: { largest } }) => {
    const pool = await open({ workers: 1 })
    await allReady(pool, 1)
    const found: Record<string, number> = {}
    const median = async (times: number, run: () => Promise<unknown>): Promise<number> => {
      await run()
      const took: Array<number> = []
      for (let i = 0; i < times; i++) {
        const start = performance.now()
        await run()
        took.push(performance.now() - start)
      }
      return percentile(took.toSorted((a, b) => a - b), 0.5)
    }
    for (const [name, kilobytes, times] of sizes) {
      if (kilobytes > largest) continue
      const bytes = new Uint8Array(kilobytes * 1024).fill(7)
      const took = await median(times, async () => {
        const back = await pool.call("echo", bytes)
        if ((back as Uint8Array).byteLength !== bytes.byteLength) {
          throw new Error("the bytes came back as something else")
        }
      })
      found[name] = 2 * kilobytes / 1024 / took * 1000
    }
    if (pool.move !== undefined) {
      // Each trip takes the buffer that the last one brought home.
      let bytes = new Uint8Array(largest * 1024).fill(7)
      found["moved"] = await median(10, async () => {
        bytes = await pool.move!(bytes) as typeof bytes
      })
    }
    return found
  }
})
