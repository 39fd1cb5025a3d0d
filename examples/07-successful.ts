// Polling a good job and a bad one.
//
// Python:  good, bad = pool.apply_async(who, (1,)), pool.apply_async(who, ("apple",))
//          while jobs:
//              if job.ready(): print("successful" if job.successful() else "error")

import { Executor, Task } from "@futures/core"
import { setTimeout } from "node:timers/promises"
import { backend, backends } from "./backends.ts"
import { who } from "./tasks/who.ts"

await using executor = Executor.open(backends, { backend, maxWorkers: 4 })

const good = executor.submit(Task.with(who, { label: "the good job" }), 1)
// @ts-expect-error who wants a number. Python learns it when the task runs; insisting shows what arrives then.
const bad = executor.submit(Task.with(who, { label: "the bad job" }), "apple")

const jobs = new Set([good, bad])
while (jobs.size > 0) {
  for (const job of jobs) {
    if (!job.done()) continue
    jobs.delete(job)
    if (job.successful()) console.log(`${job.info.label} was successful: process ${(await job.result()).pid}`)
    else console.log(`${job.info.label} had an error: ${await job.exception()}`)
  }
  await setTimeout(100)
}
