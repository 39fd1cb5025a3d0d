/** What tasks write arrives here, before their futures settle. */
import assert from "node:assert/strict"
import { law, laws } from "../Law.ts"
import { exit, print } from "../tasks.ts"
import type { Trial } from "../Trial.ts"

/** Reads what is written to one of this process's streams meanwhile, instead of letting it through. */
const reading = async (stream: "stdout" | "stderr", body: (text: () => string) => Promise<void>): Promise<void> => {
  let text = ""
  const target = process[stream]
  const { write } = target
  target.write = ((chunk: string | Uint8Array) => {
    text += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString()
    return true
  }) as typeof write
  try {
    await body(() => text)
  } finally {
    target.write = write
  }
}

const arrives = (trial: Trial, stream: "stdout" | "stderr"): Promise<void> =>
  reading(stream, async (text) => {
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
      await reading("stdout", async (text) => {
        const futures = [executor.submit(print, "stdout", "the last words"), executor.submit(exit, 1)]
        for (const future of futures) await future.wait()
        assert.equal(text(), "the last words")
      })
    }
  )
])
