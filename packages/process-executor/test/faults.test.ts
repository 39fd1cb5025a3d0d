import { ProcessExecutor } from "@futures/process-executor"
import { broken, faultGrid } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"

conformance({ name: "process", executor: ProcessExecutor }, {
  laws: [broken, faultGrid({ execArgv: ["--max-old-space-size=40"] })]
})
