/** W8 on a cluster. */
import { question } from "../src/question.ts"
import W8 from "./W8.ts"

export default question({
  id: "W8c",
  title: `${W8.title}, on a cluster of 2 engines`,
  metrics: W8.metrics,
  full: { short: 494, long: 6, workers: 2 },
  quick: { short: 494, long: 6, workers: 2 },
  limit: 30,
  ours: ["cluster"],
  bare: {},
  peers: [],
  python: [],
  measure: W8.measure
})
