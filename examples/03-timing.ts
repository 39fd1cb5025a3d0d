// What four workers save.
//
// Python:  start = time.time()
//          ...the ten jobs...
//          print(time.time() - start)

import { Executor, gather } from "@futures/core"
import { backend, backends, onInline } from "./backends.ts"
import { who } from "./tasks/who.ts"

await using executor = Executor.open(backends, { backend, maxWorkers: 4 })

const start = performance.now()
await gather(Array.from({ length: 10 }, () => executor.submit(who, 1)))
const seconds = (performance.now() - start) / 1000

console.log("ten jobs of one second")
console.log("  one worker                 10.00 s")
console.log("  four workers, at best       3.00 s")
console.log(`  measured on ${backend.padEnd(8)} ${seconds.toFixed(2).padStart(11)} s`)
onInline("jobs that block run one after another")
