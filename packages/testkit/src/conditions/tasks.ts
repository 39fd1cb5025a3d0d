/** Tasks of the condition grid: each appends a line for every run, so that a run too many is seen. */
import { Task } from "@futures/core"
import { appendFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { asked, say } from "../tasksSignals.ts"

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
