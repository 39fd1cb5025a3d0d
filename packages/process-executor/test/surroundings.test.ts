import { ProcessExecutor } from "@futures/process-executor"
import { surroundingGaps, surroundings } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"

const origin = { module: import.meta.resolve("@futures/process-executor"), name: "ProcessExecutor" }

conformance({ name: "process", executor: ProcessExecutor, gaps: surroundingGaps() }, {
  laws: [surroundings(origin, ["--allow-child-process"])]
})
