import { ProcessExecutor } from "@futures/process-executor"
import { conformance } from "@futures/testkit/vitest"

conformance({
  name: "process",
  executor: ProcessExecutor,
  gaps: [{ name: "shared memory", reason: "a child process has a memory of its own" }, {
    name: "cancel() takes back a call that its worker holds and has not started",
    reason: "no memory is shared with the worker: what was sent to it comes back by itself within some milliseconds"
  }]
})
