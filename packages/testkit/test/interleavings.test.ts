/** A backend in this thread: the laws on it, and the engine under every order in which its frames may come. */
import { contract } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"
import { interleavings } from "../src/model/interleavings.ts"
import { memory, memoryExecutor } from "../src/model/memory.ts"

conformance({
  name: "memory",
  executor: memoryExecutor(memory().backend),
  gaps: [{ name: "workers", reason: "its workers live in the caller's thread" }]
}, { laws: [...contract, interleavings()] })
