/** Tasks of the condition grid: each appends a line for every run, so that a run too many is seen. */
import { Task } from "@futures/core"
import { appendFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { asked, say, speak } from "../tasksSignals.ts"

/** What a run of a task does. */
export interface Work {
  /** The file that gets a line for each run. */
  readonly path: string
  /** The line, and the result. */
  readonly line: string
  /** How long the run takes (ms). */
  readonly ms: number
  /** Where to say that the run has begun; the law lets the condition begin then. */
  readonly cue: { readonly port: number; readonly word: string } | undefined
}

const begin = async ({ cue, line, path }: Work): Promise<void> => {
  appendFileSync(path, `${process.pid} ${line}\n`)
  if (cue !== undefined) await say(cue.port, cue.word)
}

export const { cleanUp, count, failFirst, failOdd, quick, who, work } = Task.module(import.meta, {
  /** Reports that it runs, then waits for a request to stop and takes its time to clean up. */
  cleanUp: async ({ cue, line, ms, path }: Work): Promise<never> => {
    Task.current()!.progress("running")
    await asked()
    if (cue !== undefined) await say(cue.port, cue.word)
    await sleep(ms)
    appendFileSync(path, `${process.pid} ${line}\n`)
    throw new Error("Stopped")
  },
  /** Yields 0 to 11. */
  count: async function*({ cue, line, ms, path }: Work): AsyncGenerator<number> {
    for (let item = 0; item < 12; item++) {
      await begin({ path, ms, line: `${line}${item}`, cue: item === 2 ? cue : undefined })
      await sleep(ms)
      yield item
    }
  },
  /** The first attempt fails at once; the second is the one during which the condition begins. */
  failFirst: async (each: Work): Promise<string> => {
    const { attempt } = Task.current()!
    await begin({ ...each, line: `${each.line} attempt ${attempt}`, cue: attempt === 1 ? undefined : each.cue })
    if (attempt === 1) throw new RangeError("the first attempt fails")
    await sleep(each.ms)
    return each.line
  },
  /** As `work`; fails for lines that are odd numbers. */
  failOdd: async (each: Work): Promise<string> => {
    await begin(each)
    await sleep(each.ms)
    if (Number(each.line) % 2 === 1) throw new RangeError(each.line)
    return each.line
  },
  quick: (n: number): number => n + 1,
  who: (): number => process.pid,
  work: async (each: Work): Promise<string> => {
    await begin(each)
    await sleep(each.ms)
    return each.line
  }
})

const speakAndWait = async (port: number, word: string): Promise<void> => {
  const { released, socket } = await speak(port, word)
  await released
  socket.destroy()
}

/** Large values (bytes): far more than a message holds that goes in one piece, far less than memory. */
export const LARGE_BYTES = 4 * 2 ** 20

/** Bytes that say whether they arrived whole. */
export const large = (seed: number, length = LARGE_BYTES): Uint8Array => {
  const bytes = new Uint8Array(length)
  for (let index = 0; index < length; index += 4_096) bytes[index] = seed + index / 4_096
  return bytes
}

/** What is seen of large bytes: the first and the last of those that were set, and how many there are. */
export const lookAt = (bytes: Uint8Array): string =>
  `${bytes.length} ${bytes[0]} ${bytes[Math.floor((bytes.length - 1) / 4_096) * 4_096]}`

export const { cleanUpLarge, failLarge, hold, look, makeLarge, parse, parts, yieldLarge } = Task.module(import.meta, {
  cleanUpLarge: async (path: string, bytes: Uint8Array): Promise<never> => {
    Task.current()!.progress("running")
    await asked()
    appendFileSync(path, `${process.pid} ${lookAt(bytes)}\n`)
    throw new Error("Stopped")
  },
  /** Fails in its first attempt. */
  failLarge: (path: string, bytes: Uint8Array): string => {
    appendFileSync(path, `${process.pid} ${lookAt(bytes)}\n`)
    if (Task.current()!.attempt === 1) throw new RangeError("the first attempt fails")
    return lookAt(bytes)
  },
  /** Says its word and waits to be released, if it has one. */
  hold: async (
    { index, port, word }: { readonly index: number; readonly port: number; readonly word?: string | undefined }
  ): Promise<number> => {
    if (word !== undefined) await speakAndWait(port, word)
    return index
  },
  look: lookAt,
  makeLarge: (seed: number): Uint8Array => large(seed),
  parse: (text: string): unknown => JSON.parse(text),
  /** Yields what it sees of each quarter of its argument. */
  parts: function*(bytes: Uint8Array): Generator<string> {
    for (let part = 0; part < 4; part++) {
      yield lookAt(bytes.slice(part * bytes.length / 4, (part + 1) * bytes.length / 4))
    }
  },
  yieldLarge: function*(path: string, items: number): Generator<Uint8Array> {
    for (let item = 0; item < items; item++) {
      appendFileSync(path, `${process.pid} ${item}\n`)
      yield large(item)
    }
  }
})
