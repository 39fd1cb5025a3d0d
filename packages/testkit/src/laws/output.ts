/** What tasks write arrives here, before their futures settle. */
import { frames } from "@futures/core/Backend"
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { law, laws, property } from "../Law.ts"
import { readingOutput } from "../reading.ts"
import { exit, print } from "../tasks.ts"
import { writeAll, writeUntilFull } from "../tasksOutput.ts"
import type { Written } from "../tasksOutput.ts"
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

const encodings = [
  "utf8",
  "utf-8",
  "hex",
  "base64",
  "base64url",
  "utf16le",
  "ucs2",
  "latin1",
  "binary",
  "ascii"
] as const

const written = (): fc.Arbitrary<Written> =>
  fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.tuple(fc.string({ unit: "binary", maxLength: 100 }), fc.constantFrom(...encodings)),
    fc.tuple(fc.uint8Array({ maxLength: 100 }), fc.constantFrom("hex" as const, "base64" as const)).map((
      [bytes, encoding]
    ) => [Buffer.from(bytes).toString(encoding), encoding] as const)
  )

/** The bytes that Node writes. */
const bytesOf = (one: Written): Buffer => one instanceof Uint8Array ? Buffer.from(one) : Buffer.from(...one)

/** Replaces `write` of this process's stdout meanwhile. */
const replacingWrite = async (
  take: (chunk: Buffer) => boolean,
  body: () => Promise<void>
): Promise<void> => {
  const { stdout } = process
  const { write } = stdout
  stdout.write =
    ((chunk: string | Uint8Array, encoding?: BufferEncoding) =>
      take(typeof chunk === "string" ? Buffer.from(chunk, encoding) : Buffer.from(chunk))) as typeof write
  try {
    await body()
  } finally {
    stdout.write = write
  }
}

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
  ),
  property(
    "What a task writes arrives as the bytes that Node would write, in every encoding",
    { promises: [14], runs: 50 },
    [fc.array(written(), { maxLength: 20 })],
    async (trial, list) => {
      const chunks: Array<Buffer> = []
      await replacingWrite(
        (chunk) => chunks.push(chunk) > 0,
        () => trial.shared.run(writeAll, list)
      )
      assert.deepEqual(Buffer.concat(chunks), Buffer.concat(list.map(bytesOf)))
    }
  ),
  law(
    "write returns false to a task while the caller's stream is full, and \"drain\" follows",
    { promises: [14], needs: ["workers"] },
    async (trial) => {
      const mostBytes = 64 * 2 ** 20
      let bytes = 0
      let isFull = true
      Object.defineProperty(process.stdout, "writableNeedDrain", { configurable: true, get: () => isFull })
      try {
        await replacingWrite((chunk) => {
          bytes += chunk.length
          if (bytes >= frames.OUTPUT_WINDOW_BYTES / 2 && isFull) {
            isFull = false
            setImmediate(() => process.stdout.emit("drain"))
            return false
          }
          return !isFull
        }, async () => {
          const count = await trial.shared.run(writeUntilFull, mostBytes)
          assert.ok(count < mostBytes, "write never returned false")
          assert.equal(bytes, count)
        })
      } finally {
        Reflect.deleteProperty(process.stdout, "writableNeedDrain")
      }
    }
  )
])
