/** The published laws, on the backends that `docs/writing-a-backend.md` tells how to write. */
import { conformance } from "@futures/testkit/vitest"
import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { ChannelExecutor } from "../your-own-backend/ChannelExecutor.ts"
import { PipeExecutor } from "../your-own-backend/PipeExecutor.ts"

conformance({
  name: "channel",
  executor: ChannelExecutor,
  gaps: [
    { name: "marks", reason: "nobody can tell, once a thread is dead, which items of a chunk it had begun" },
    {
      name: "stop requests",
      reason: "a thread hears of a request when it reads its port, so not while a task computes"
    }
  ]
})

conformance({
  name: "pipes",
  executor: PipeExecutor,
  gaps: [
    { name: "shared memory", reason: "a process has a memory of its own" },
    { name: "marks", reason: "a process that has died says nothing about what it had started" },
    {
      name: "stop requests",
      reason: "a process hears of a request when it reads its pipe, so not while a task computes"
    }
  ]
})

const page = readFileSync(new URL("../../docs/writing-a-backend.md", import.meta.url), "utf8")

test.for(["ChannelExecutor.ts", "worker.ts", "PipeExecutor.ts", "pipeWorker.ts"])(
  "The page shows %s as it is",
  (name) => {
    const code = readFileSync(new URL(`../your-own-backend/${name}`, import.meta.url), "utf8")
    expect(page).toContain(`\`\`\`ts\n// ${name}\n${code}\`\`\``)
  }
)
