/** W2 on a cluster: a broker and two engines of one slot on this machine. ipyparallel is asked a tenth, it is that much slower. */
import { question } from "../src/question.ts"
import { measure, metrics } from "./W2.ts"

export default question({
  id: "W2c",
  title: "20,000 calls that do nothing, handed in at once, on a cluster of 2 engines",
  metrics,
  full: { calls: 20_000, workers: 2 },
  quick: { calls: 2000, workers: 2 },
  limit: 120,
  ours: ["cluster"],
  bare: {},
  peers: [],
  python: ["ipyparallel"],
  measure
})
