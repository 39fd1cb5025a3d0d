import { Task } from "@futures/core"

/** How often a character stands in a row. */
export type Run = readonly [character: string, times: number]

export const { pack, unpack } = Task.module(import.meta, {
  /** Run-length encoding: `"aab"` is `[["a", 2], ["b", 1]]`. */
  pack: (text: string): Array<Run> => {
    const runs: Array<[string, number]> = []
    for (const character of text) {
      const last = runs.at(-1)
      if (last?.[0] === character) last[1]++
      else runs.push([character, 1])
    }
    return runs
  },
  unpack: (runs: ReadonlyArray<Run>): string => runs.map(([character, times]) => character.repeat(times)).join("")
})
