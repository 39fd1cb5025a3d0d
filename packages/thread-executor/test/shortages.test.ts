import { shortageGaps, shortages } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"
import { ThreadExecutor } from "@futures/thread-executor"

conformance({ name: "thread", executor: ThreadExecutor, gaps: shortageGaps() }, {
  laws: [shortages({ module: import.meta.resolve("@futures/thread-executor"), name: "ThreadExecutor" })]
})
