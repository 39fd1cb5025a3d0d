// One task, many items, results in the order of the items.
//
// Python:  for n in executor.map(square, range(10)): print(n)

import { Executor } from "@futures/core"
import { backend, backends } from "./backends.ts"
import { square } from "./tasks/numbers.ts"

await using executor = Executor.open(backends, { backend, maxWorkers: 4 })

const squares: Array<number> = []
for await (const n of executor.map(square, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])) squares.push(n)
console.log(`squares: ${squares.join(" ")}`)

// Items are pulled as results are taken, so there may be no end of them; leaving the loop cancels the rest.
function* naturals() {
  for (let n = 0;; n++) yield n
}
for await (const n of executor.map(square, naturals())) {
  if (n < 1_000) continue
  console.log(`the first of four digits: ${n}`)
  break
}
