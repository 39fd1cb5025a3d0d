/** A history that breaks the model is reported so that it can be told again. */
import type { Future, Task } from "@futures/core"
import { verify } from "@futures/testkit"
import type { Subject, VerifyOptions } from "@futures/testkit"
import { expect, test } from "vitest"
import { histories } from "../src/model/histories.ts"
import { memory, memoryExecutor } from "../src/model/memory.ts"

/** Says that it cancelled, and did not. */
class Boastful extends memoryExecutor(memory().backend) {
  override submit<F extends Task.Call>(task: F, ...args: Task.Args<F>): Future<Task.Success<F>, Task.Failure<F>> {
    return Object.assign(super.submit(task, ...args), { cancel: () => true })
  }
}

/** The law ends when nothing shorter breaks the model, not after a time; the limit is for a machine that is very busy. */
const LIMIT = 120_000
const patient = { ...histories, laws: histories.laws.map((law) => ({ ...law, limit: LIMIT })) }

const report = async (parameters: VerifyOptions["parameters"]): Promise<string> => {
  const subject: Subject = {
    name: "boastful",
    executor: Boastful,
    gaps: [{ name: "workers", reason: "its workers live in the caller's thread" }]
  }
  for await (const verdict of verify(subject, { laws: [patient], parameters })) {
    if (verdict.verdict === "broken") return (verdict.error as Error).message
  }
  throw new Error("It was not caught")
}

test("A history that breaks the model shrinks to what matters, and its seed and paths lead to it at once", {
  timeout: LIMIT
}, async () => {
  const first = await report({ numRuns: 200, interruptAfterTimeLimit: undefined } as never)
  const [, history, replayPath] = /Counterexample: \[(.*) \/\*replayPath="(.*)"\*\/\]/.exec(first)!
  const [, seed, path] = /seed: (-?\d+), path: "([\d:]+)"/.exec(first)!
  // One call that is cancelled, at times beside another: of histories without a shorter neighbour there are several.
  expect(history!.match(/submit/g)!.length).toBeLessThanOrEqual(2)
  expect(history).toContain("cancel(")
  const again = await report({ seed: Number(seed), path, replayPath, endOnFailure: true } as never)
  expect(again).toContain("Property failed after 1 tests")
  expect(again).toContain(history)
})
