/** A program whose tasks write much, read slowly. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { text } from "node:stream/consumers"
import { setImmediate } from "node:timers/promises"
import { expect, test } from "vitest"

const program = new URL("programs/writeMuch.ts", import.meta.url).pathname

test.for(["thread", "process"])(
  "128 MiB to a slow reader grow the caller of a %s by less than 32 MiB",
  async (kind) => {
    const child = spawn(process.execPath, [program, kind], { stdio: ["ignore", "pipe", "pipe"] })
    const said = text(child.stderr)
    const ended = once(child, "exit")
    let bytes = 0
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      bytes += chunk.length
      await setImmediate()
    }
    expect(bytes).toBe(2 ** 27 + 2 ** 16)
    expect(Number(await said)).toBeLessThan(2 ** 25)
    expect(await ended).toEqual([0, null])
  }
)
