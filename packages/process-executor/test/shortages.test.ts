import { ProcessExecutor } from "@futures/process-executor"
import { shortageGaps, shortages } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"

conformance({ name: "process", executor: ProcessExecutor, gaps: shortageGaps() }, {
  laws: [shortages({ module: import.meta.resolve("@futures/process-executor"), name: "ProcessExecutor" })]
})
