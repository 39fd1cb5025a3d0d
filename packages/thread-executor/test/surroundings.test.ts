import { surroundingGaps, surroundings } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"
import { ThreadExecutor } from "@futures/thread-executor"

const origin = { module: import.meta.resolve("@futures/thread-executor"), name: "ThreadExecutor" }

conformance({ name: "thread", executor: ThreadExecutor, gaps: surroundingGaps() }, {
  laws: [surroundings(origin, ["--allow-worker"])]
})
