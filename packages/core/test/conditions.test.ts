import { InlineExecutor } from "@futures/core"
import { conditionGrid } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"

conformance({
  name: "inline",
  executor: InlineExecutor,
  gaps: [{ name: "workers", reason: "calls run in the caller's thread: they stand still with it, and one at a time" }]
}, {
  laws: [conditionGrid({ origin: { module: import.meta.resolve("@futures/core"), name: "InlineExecutor" } })]
})
