/** Tasks that move buffers of their results. */
import { Task } from "@futures/core"

const filled = (length = 1_000): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(7)

/** Moves all of it. */
const move = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => Task.transfer(bytes, [bytes.buffer])

/** What this module has kept, by name. */
const kept = new Map<string, Uint8Array<ArrayBuffer>>()

const keep = (name: string): Uint8Array<ArrayBuffer> => {
  let bytes = kept.get(name)
  if (bytes === undefined) kept.set(name, bytes = filled())
  return bytes
}

export const {
  fill,
  fillEach,
  fillLater,
  keepAndReturn,
  keptLength,
  make,
  moveBack,
  moveKept,
  moveKeptInside,
  moveKeptThenFail,
  moveKeptWithFunction,
  moveWrongly
} = Task.module(import.meta, {
  fill: (length: number) => move(filled(length)),
  fillLater: async (length: number) => {
    await new Promise((resolve) => setImmediate(resolve))
    return move(filled(length))
  },
  fillEach: function*(lengths: ReadonlyArray<number>) {
    for (const length of lengths) yield move(filled(length))
  },
  /** What came, twice; another view of its buffer; and a buffer that is not listed. */
  moveBack: (bytes: Uint8Array<ArrayBuffer>) => {
    const { buffer } = bytes
    return Task.transfer({ bytes, again: [bytes], end: new Uint8Array(buffer, bytes.length - 1), other: filled() }, [
      buffer
    ])
  },
  /** A view of so many bytes, inside of something. */
  make: (bytes: number) => ({ deep: [new Uint8Array(bytes)] }),
  keptLength: (name: string): number => keep(name).length,
  keepAndReturn: (name: string) => keep(name),
  moveKept: (name: string) => move(keep(name)),
  moveKeptInside: (name: string) => ({ inside: move(keep(name)) }),
  moveKeptThenFail: (name: string): never => {
    throw new Error(`${move(keep(name)).length} bytes that do not leave`)
  },
  moveKeptWithFunction: (name: string) => {
    const bytes = keep(name)
    return Task.transfer({ bytes, callback: () => 1 }, [bytes.buffer])
  },
  /** Lists what cannot be listed. */
  moveWrongly: (name: string, how: "twice" | "shared" | "no list") => {
    const bytes = keep(name)
    const list = { twice: [bytes.buffer, bytes.buffer], shared: [new SharedArrayBuffer(8)], "no list": 5 }
    return Task.transfer(bytes, list[how] as never)
  }
})
