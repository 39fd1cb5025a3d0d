// Waiting for the first of several.
//
// Python:  done, not_done = wait(jobs, return_when=FIRST_COMPLETED)

import { Executor, Task, wait } from "@futures/core"
import { backend, backends, onInline } from "./backends.ts"
import { who } from "./tasks/who.ts"

await using executor = Executor.open(backends, { backend, maxWorkers: 4 })

const jobs = [1, 0.1, 1].map((seconds) => executor.submit(Task.with(who, { label: `who(${seconds})` }), seconds))
const { done, notDone } = await wait(jobs, { returnWhen: "firstCompleted" })

console.log(`done: ${[...done].map((job) => job.info.label).join(", ")}`)
console.log(`not done: ${[...notDone].map((job) => job.info.label).join(", ")}`)
onInline("the first handed in is the first to finish")
