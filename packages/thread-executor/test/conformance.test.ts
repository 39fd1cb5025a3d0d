import { conformance } from "@futures/testkit/vitest"
import { ThreadExecutor } from "@futures/thread-executor"

conformance({
  name: "thread",
  executor: ThreadExecutor,
  gaps: []
})
