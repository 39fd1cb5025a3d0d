import { ProcessExecutor } from "@futures/process-executor"
import { conditionGrid } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"

conformance({ name: "process", executor: ProcessExecutor }, {
  laws: [conditionGrid({
    origin: { module: import.meta.resolve("@futures/process-executor"), name: "ProcessExecutor" }
  })]
})
