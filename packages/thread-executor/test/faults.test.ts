import { broken, faultGrid } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"
import { ThreadExecutor } from "@futures/thread-executor"

/**
 * Node lets a thread that is full go 16 MiB further until it has stopped it. One collection moves as much as the young generation holds: were that more,
 * the whole process would be aborted now and then.
 */
const smallHeap = { maxOldGenerationSizeMb: 40, maxYoungGenerationSizeMb: 2 }

conformance({
  name: "thread",
  executor: ThreadExecutor,
  gaps: [{ name: "own process", reason: "what aborts or crashes on a thread ends the whole process" }]
}, {
  laws: [broken, faultGrid({ resourceLimits: smallHeap })]
})
