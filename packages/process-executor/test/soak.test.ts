/** The long run. `FUTURES_MINUTES` makes it longer, `FUTURES_SEED` begins with a seed that is known. */
import { ProcessExecutor } from "@futures/process-executor"
import { released, soak } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"

const origin = { module: import.meta.resolve("@futures/process-executor"), name: "ProcessExecutor" }

conformance({ name: "process", executor: ProcessExecutor }, {
  laws: [released, soak(origin, ["workers", "own process"])]
})
