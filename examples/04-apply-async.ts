// Four jobs handed in at once, results in the order of the jobs.
//
// Python:  jobs = [pool.apply_async(who, (1,)) for _ in range(4)]
//          for job in jobs: print(job.get())

import { Executor } from "@futures/core"
import { backend, backends, onInline } from "./backends.ts"
import { who } from "./tasks/who.ts"

await using executor = Executor.open(backends, { backend, maxWorkers: 4 })

const jobs = Array.from({ length: 4 }, () => executor.submit(who, 1))
console.log(`${jobs.length} jobs handed in, ${jobs.filter((job) => job.done()).length} done`)

for (const [index, job] of jobs.entries()) {
  const { pid, threadId } = await job.result()
  console.log(`job ${index} ran on process ${pid}, thread ${threadId}`)
}
onInline("this thread ran them, one after another")
