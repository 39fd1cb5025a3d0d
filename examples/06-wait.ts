// Waiting for a job is one thing, asking for its result another.
//
// Python:  job = pool.apply_async(who, (1,))
//          job.wait(0.1); job.ready()
//          job.wait(); job.get()

import { Executor } from "@futures/core"
import { backend, backends, onInline } from "./backends.ts"
import { who } from "./tasks/who.ts"

await using executor = Executor.open(backends, { backend, maxWorkers: 4 })

const job = executor.submit(who, 1)
console.log(`done after a tenth of a second: ${await job.wait({ timeout: 100 })}`)
onInline("the job blocked this thread, so the tenth took a second")
console.log(`done after waiting for it: ${await job.wait()}`)

const { pid, threadId } = await job.result()
console.log(`it ran on process ${pid}, thread ${threadId}`)
