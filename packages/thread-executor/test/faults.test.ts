import { broken, faultGrid } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"
import { ThreadExecutor } from "@futures/thread-executor"

conformance({
  name: "thread",
  executor: ThreadExecutor,
  gaps: [{ name: "own process", reason: "what aborts or crashes on a thread ends the whole process" }]
}, {
  laws: [broken, faultGrid({ resourceLimits: { maxOldGenerationSizeMb: 40 } })]
})
