/** Tasks that write to stdout. */
import { Task } from "@futures/core"
import { once } from "node:events"

/** What a task writes: bytes, or text in an encoding. */
export type Written = Uint8Array | readonly [text: string, encoding: BufferEncoding]

export const { writeAll, writeUntilFull } = Task.module(import.meta, {
  writeAll: (list: ReadonlyArray<Written>): void => {
    for (const written of list) {
      if (written instanceof Uint8Array) process.stdout.write(written)
      else process.stdout.write(...written)
    }
  },
  /** Writes until `write` returns `false`, at most so many bytes, then waits for "drain". Returns how many bytes it wrote. */
  writeUntilFull: async (mostBytes: number): Promise<number> => {
    const line = `${"x".repeat(1023)}\n`
    let bytes = 0
    while (bytes < mostBytes) {
      bytes += line.length
      if (process.stdout.write(line)) continue
      await once(process.stdout, "drain")
      return bytes
    }
    return bytes
  }
})
