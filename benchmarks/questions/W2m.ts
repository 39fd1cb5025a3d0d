/** A million calls at once: who finishes, and in how much memory. */
import { question } from "../src/question.ts"
import { measure, metrics } from "./W2.ts"

export default question({
  id: "W2m",
  title: "1,000,000 calls that do nothing, handed in at once, 2 workers",
  metrics: {
    ...metrics,
    memory: { ...metrics["memory"]!, main: true },
    stall: { ...metrics["stall"]!, main: false }
  },
  full: { calls: 1_000_000, workers: 2 },
  quick: { calls: 100_000, workers: 2 },
  limit: 60,
  ours: ["thread", "process"],
  bare: { thread: "bare threads, batched", process: "bare processes" },
  peers: ["poolifier", "jest-worker", "poolifier, cluster"],
  python: [],
  measure
})
