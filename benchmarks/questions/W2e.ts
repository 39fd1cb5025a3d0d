/** W2 through the Effect face: a fiber a call, and peers as they are. */
import { question } from "../src/question.ts"
import { measure, metrics } from "./W2.ts"

export default question({
  id: "W2e",
  title: "100,000 calls that do nothing by Effect.forEach, 2 workers",
  metrics,
  full: { calls: 100_000, workers: 2 },
  quick: { calls: 10_000, workers: 2 },
  limit: 30,
  ours: ["thread, Effect", "process, Effect"],
  bare: { thread: "bare threads, batched", process: "bare processes" },
  peers: ["piscina, 16 a worker", "poolifier", "jest-worker", "poolifier, cluster", "jest-worker, processes"],
  python: [],
  measure
})
