/** Work for the processor: how much faster two workers are than none, divided by two. */
import { allReady } from "../src/measure.ts"
import { question } from "../src/question.ts"

const fib = (n: number): number => n < 2 ? n : fib(n - 1) + fib(n - 2)

export default question({
  id: "W6",
  title: "400 calls of about 10 ms of computing, 2 workers",
  metrics: { efficiency: { label: "speed-up / workers", unit: "", better: "more", main: true } },
  full: { calls: 400, n: 30, workers: 2 },
  quick: { calls: 40, n: 30, workers: 2 },
  limit: 60,
  ours: ["inline", "thread", "process"],
  bare: { thread: "bare threads", process: "bare processes" },
  measure: async ({ open, size: { calls, n, workers } }) => {
    const pool = await open({ workers, long: true })
    await allReady(pool, workers)
    for (let i = 0; i < 5; i++) fib(n)
    const before = performance.now()
    for (let i = 0; i < 20; i++) fib(n)
    const alone = (performance.now() - before) / 20
    await Promise.all(Array.from({ length: 4 * workers }, () => pool.call("fib", n)))
    const start = performance.now()
    await Promise.all(Array.from({ length: calls }, () => pool.call("fib", n)))
    const wall = performance.now() - start
    return { efficiency: calls * alone / wall / workers }
  }
})
