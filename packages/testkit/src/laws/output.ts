/** What tasks write arrives here, before their futures settle. */
import assert from "node:assert/strict"
import { law, laws } from "../Law.ts"
import { readingOutput } from "../reading.ts"
import { exit, print } from "../tasks.ts"
import type { Trial } from "../Trial.ts"

const arrives = (trial: Trial, stream: "stdout" | "stderr"): Promise<string> =>
  readingOutput(stream, async (text) => {
    const long = "long ".repeat(20_000)
    for (const line of [`${stream} \u00e9 \u{1f600}\n`, long, "no end of line"]) {
      const before = text()
      await trial.shared.run(print, stream, line)
      assert.equal(text().slice(before.length), line)
    }
  })

export const output = laws("output", [
  law("What a task writes to stdout arrives before its future settles", { promises: [14] }, async (trial) => {
    await arrives(trial, "stdout")
  }),
  law("What a task writes to stderr arrives before its future settles", { promises: [14] }, async (trial) => {
    await arrives(trial, "stderr")
  }),
  law(
    "What a task writes arrives also when its worker exits next",
    { promises: [8, 14], needs: ["workers"] },
    async (trial) => {
      const executor = trial.open({ maxWorkers: 1 })
      await readingOutput("stdout", async (text) => {
        const futures = [executor.submit(print, "stdout", "the last words"), executor.submit(exit, 1)]
        for (const future of futures) await future.wait()
        assert.equal(text(), "the last words")
      })
    }
  )
])
