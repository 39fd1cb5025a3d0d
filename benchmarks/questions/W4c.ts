/** W4 on a cluster. */
import { question } from "../src/question.ts"
import W4 from "./W4.ts"

export default question({
  id: "W4c",
  title: "Map over 200,000 numbers, on a cluster of 2 engines",
  metrics: W4.metrics,
  full: { items: 200_000, workers: 2 },
  quick: { items: 20_000, workers: 2 },
  limit: 120,
  ours: ["cluster"],
  bare: {},
  peers: [],
  python: ["ipyparallel"],
  measure: W4.measure
})
