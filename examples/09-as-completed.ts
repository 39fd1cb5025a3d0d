// Jobs in the order in which they finish.
//
// Python:  for job in as_completed(jobs): print(job.result())

import { asCompleted, Executor, Task } from "@futures/core"
import { backend, backends, onInline } from "./backends.ts"
import { who } from "./tasks/who.ts"

await using executor = Executor.open(backends, { backend, maxWorkers: 4 })

const jobs = [1.6, 1.1, 0.6, 0.1].map((seconds) =>
  executor.submit(Task.with(who, { label: `who(${seconds})` }), seconds)
)
console.log(`handed in: ${jobs.map((job) => job.info.label).join(", ")}`)

for await (const job of asCompleted(jobs)) {
  const { pid, threadId } = await job.result()
  console.log(`${job.info.label} finished on process ${pid}, thread ${threadId}`)
}
onInline("the first handed in is the first to finish")
