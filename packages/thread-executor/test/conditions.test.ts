import { conditionGrid } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"
import { ThreadExecutor } from "@futures/thread-executor"

conformance({
  name: "thread",
  executor: ThreadExecutor,
  gaps: [{ name: "own process", reason: "a thread cannot be stopped by itself: it stands still with its caller" }]
}, {
  laws: [conditionGrid({
    origin: { module: import.meta.resolve("@futures/thread-executor"), name: "ThreadExecutor" }
  })]
})
