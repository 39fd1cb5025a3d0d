/** The long run. `FUTURES_MINUTES` makes it longer, `FUTURES_SEED` begins with a seed that is known. */
import { released, soak } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"
import { ThreadExecutor } from "@futures/thread-executor"

const origin = { module: import.meta.resolve("@futures/thread-executor"), name: "ThreadExecutor" }

conformance({ name: "thread", executor: ThreadExecutor }, { laws: [released, soak(origin, ["workers"])] })
