/** Ten calls that block for a second on four workers, from nothing to nothing. Ideal: three seconds. */
import { question } from "../src/question.ts"

export default question({
  id: "W1",
  title: "10 calls that block for 1 s, 4 workers, starting and closing included",
  metrics: { wall: { label: "wall clock", unit: "s", better: "less", main: true } },
  full: { calls: 10, workers: 4, millis: 1000 },
  quick: { calls: 10, workers: 4, millis: 100 },
  starts: true,
  limit: 30,
  ours: ["thread", "process", "thread, warm", "process, warm"],
  bare: { thread: "bare threads", process: "bare processes" },
  measure: async ({ open, size: { calls, millis, workers }, warm }) => {
    let start = performance.now()
    const pool = await open({ workers, long: true })
    if (warm) start = performance.now()
    await Promise.all(Array.from({ length: calls }, () => pool.call("sleep", millis)))
    await pool.close()
    return { wall: (performance.now() - start) / 1000 }
  }
})
