import { ProcessExecutor } from "@futures/process-executor"
import { conformance } from "@futures/testkit/vitest"

conformance({
  name: "process",
  executor: ProcessExecutor,
  gaps: [{ name: "shared memory", reason: "a child process has a memory of its own" }]
})
