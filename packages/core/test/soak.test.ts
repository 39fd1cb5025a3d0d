/** The long run. `FUTURES_MINUTES` makes it longer, `FUTURES_SEED` begins with a seed that is known. */
import { InlineExecutor } from "@futures/core"
import { released, soak } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"

const origin = { module: import.meta.resolve("@futures/core"), name: "InlineExecutor" }

conformance({
  name: "inline",
  executor: InlineExecutor,
  gaps: [{ name: "workers", reason: "calls run in the caller's thread" }]
}, { laws: [released, soak(origin, [])] })
