// The caller goes on while a job runs.
//
// Python:  job = pool.apply_async(who, (1,))     # does not block
//          print("something else")
//          print(job.get())                      # blocks until it is there

import { Executor } from "@futures/core"
import { setTimeout } from "node:timers/promises"
import { backend, backends, onInline } from "./backends.ts"
import { who } from "./tasks/who.ts"

await using executor = Executor.open(backends, { backend, maxWorkers: 4 })

const job = executor.submit(who, 1)
while (!job.done()) {
  console.log("something else meanwhile")
  await setTimeout(250)
}
const { pid, threadId } = await job.result()
console.log(`the job ran on process ${pid}, thread ${threadId}`)
onInline("while the job blocked this thread, nothing else could be printed")
