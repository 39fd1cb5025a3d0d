/** A soak that finds nothing proves nothing: what was planted is found. */
import type { ExecutorClass } from "@futures/core"
import { soak, verify } from "@futures/testkit"
import type { Verdict } from "@futures/testkit"
import { expect, test } from "vitest"
import { LeavesListeners, LeavesMemory, LeavesTimers, RunsTwice } from "./fixtures/leaky.ts"

const [long, row] = soak({ module: "", name: "" }, []).laws.map(({ name }) => name)

test.for<[ExecutorClass, string | undefined, RegExp]>([
  [LeavesTimers, row, /left: .*Timeout/],
  [LeavesMemory, row, /heap .*: it grows/],
  [LeavesListeners, row, /left: .*listeners of process, exit/],
  [RunsTwice, long, /what was handed in is somewhere|no id twice/]
])("$0.name is found out", { timeout: 60_000 }, async ([executor, law, complaint]) => {
  const { name } = executor
  const { concept, laws } = soak({ module: import.meta.resolve("./fixtures/leaky.ts"), name }, [])
  const asked = [{ concept, laws: laws.filter((each) => each.name === law) }]
  const verdicts: Array<Verdict> = []
  for await (const verdict of verify({ name, executor }, { laws: asked })) verdicts.push(verdict)
  expect(verdicts).toHaveLength(1)
  expect(verdicts[0]).toMatchObject({
    verdict: "broken",
    error: { message: expect.stringMatching(complaint) }
  })
})
