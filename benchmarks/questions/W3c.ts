/** W3 on a cluster. */
import { question } from "../src/question.ts"
import W3 from "./W3.ts"

export default question({
  id: "W3c",
  title: "One call after another, on a cluster of 2 engines",
  metrics: W3.metrics,
  full: { calls: 2000, warm: 500, workers: 2 },
  quick: { calls: 200, warm: 50, workers: 2 },
  limit: 120,
  ours: ["cluster"],
  bare: {},
  peers: [],
  python: ["ipyparallel"],
  measure: W3.measure
})
