/** Bytes to an engine and back, one call in flight. */
import { allReady, percentile } from "../src/measure.ts"
import { question } from "../src/question.ts"
import type { Metric } from "../src/question.ts"

const speed = (label: string): Metric => ({ label, unit: "MB/s both ways", better: "more", main: true })

export default question({
  id: "W5c",
  title: "Bytes there and back, one call at a time, on a cluster of 1 engine",
  metrics: { MB1: speed("1 MB"), MB8: speed("8 MB") },
  full: { times: 20 },
  quick: { times: 3 },
  limit: 120,
  ours: ["cluster"],
  bare: {},
  peers: [],
  python: ["ipyparallel"],
  measure: async ({ open, size: { times } }) => {
    const pool = await open({ workers: 1 })
    await allReady(pool, 1)
    const found: Record<string, number> = {}
    for (const megabytes of [1, 8]) {
      const bytes = new Uint8Array(megabytes * 1024 * 1024).fill(7)
      const took: Array<number> = []
      // The first one does not count.
      for (let i = 0; i <= times; i++) {
        const start = performance.now()
        const back = await pool.call("echo", bytes)
        if (i > 0) took.push(performance.now() - start)
        if ((back as Uint8Array).byteLength !== bytes.byteLength) {
          throw new Error("the bytes came back as something else")
        }
      }
      found[`MB${megabytes}`] = 2 * megabytes / percentile(took.toSorted((a, b) => a - b), 0.5) * 1000
    }
    return found
  }
})
