/** Few long calls among many short ones, in an order that differs by round: does anything wait behind a long one? */
import { allReady } from "../src/measure.ts"
import { question } from "../src/question.ts"

/** Numbers below 1 that look random and are the same for the same seed. */
const numbers = (seed: number) => (): number => {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
  return seed / 2 ** 31
}

export default question({
  id: "W8",
  title: "494 calls of 1 ms and 6 of 100 ms in a seeded order, 2 workers",
  metrics: { makespan: { label: "makespan / ideal", unit: "", better: "less", main: true } },
  full: { short: 494, long: 6, workers: 2 },
  quick: { short: 494, long: 6, workers: 2 },
  limit: 30,
  ours: ["thread", "process"],
  bare: { thread: "bare threads", process: "bare processes" },
  measure: async ({ open, round, size: { long, short, workers } }) => {
    const random = numbers(round)
    const order = [...new Array<number>(short).fill(1), ...new Array<number>(long).fill(100)]
      .map((millis) => ({ millis, at: random() }))
      .toSorted((a, b) => a.at - b.at)
    const pool = await open({ workers, long: true })
    await allReady(pool, workers)
    const start = performance.now()
    await Promise.all(order.map(({ millis }) => pool.call("spin", millis)))
    const wall = performance.now() - start
    return { makespan: wall / ((short + long * 100) / workers) }
  }
})
