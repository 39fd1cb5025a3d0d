import { ProcessExecutor } from "@futures/process-executor"
import { programs } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"

conformance({ name: "process", executor: ProcessExecutor }, {
  laws: [programs({ module: import.meta.resolve("@futures/process-executor"), name: "ProcessExecutor" })]
})
