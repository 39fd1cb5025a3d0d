// Ten jobs of one second on four workers: threads share a process, processes do not.
//
// Python:  with ThreadPoolExecutor(4) as executor:        # and ProcessPoolExecutor(4)
//              jobs = [executor.submit(who, 1) for _ in range(10)]
//          for job in jobs: print(job.result())

import { ProcessExecutor } from "@futures/process-executor"
import { ThreadExecutor } from "@futures/thread-executor"
import { who } from "./tasks/who.ts"

for (const Pool of [ThreadExecutor, ProcessExecutor]) {
  console.log(`${Pool.name}, started by process ${process.pid}`)
  await using executor = new Pool({ maxWorkers: 4 })
  const jobs = Array.from({ length: 10 }, () => executor.submit(who, 1))
  for (const [index, job] of jobs.entries()) {
    const { pid, threadId } = await job.result()
    console.log(`  job ${index} ran on process ${pid}, thread ${threadId}`)
  }
}
