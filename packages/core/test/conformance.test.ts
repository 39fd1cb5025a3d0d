import { InlineExecutor } from "@futures/core"
import { conformance } from "@futures/testkit/vitest"

conformance({
  name: "inline",
  executor: InlineExecutor,
  gaps: [{
    name: "workers",
    reason: "calls run in the caller's thread: an exit ends the program, and nothing can be ended by force"
  }]
})
