import { programs } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"
import { ThreadExecutor } from "@futures/thread-executor"

conformance({
  name: "thread",
  executor: ThreadExecutor,
  gaps: [{ name: "own process", reason: "threads share the working directory of their process" }]
}, {
  laws: [programs({ module: import.meta.resolve("@futures/thread-executor"), name: "ThreadExecutor" })]
})
