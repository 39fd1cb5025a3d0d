/** Tasks that hand in calls of their own. */
import { Executor, Task } from "@futures/core"
import type { CancelledError } from "@futures/core"
import { double, note } from "./tasks.ts"
import { failTagged, Missing } from "./tasksEffect.ts"
import { decline, Declined, throwUnlisted, throwWhenOdd } from "./tasksErrors.ts"
import { stopWhenAsked, waitFor } from "./tasksSignals.ts"
import { count } from "./tasksStreams.ts"

const failures = { decline, throwUnlisted } as const

export const {
  deep,
  fibonacci,
  leave,
  leaveAndExit,
  nestedFailure,
  nestedMap,
  nestedSettled,
  nestedShutdown,
  nestedStarmap,
  nestedStream,
  nestedTagged,
  noteBelow,
  noteBelowAs,
  noteSlowly,
  stopBelow,
  waitThenNote
} = Task.module(import.meta, {
  /** Answers with its depth below. */
  deep: async (levels: number): Promise<number> =>
    levels === 0 ? 0 : 1 + await Executor.current().run(deep, levels - 1),
  fibonacci: async (n: number): Promise<number> => {
    if (n < 2) return n
    const executor = Executor.current()
    const [one, other] = await Promise.all([executor.run(fibonacci, n - 1), executor.run(fibonacci, n - 2)])
    return one + other
  },
  /** Hands in a call, and does not wait for it. */
  leave: (path: string, line: string): string => Executor.current().submit(note, path, line).state,
  /** Hands in a call that goes on until it is asked to stop, and ends its own worker once it is released. */
  leaveAndExit: async (port: number, word: string): Promise<never> => {
    Executor.current().submit(stopWhenAsked, port, word)
    await waitFor(port, `${word} left`)
    process.exit(3)
  },
  /** Adds a line to a file from so many levels below, which it reaches with `run` or with `map`. */
  noteBelow: async (path: string, line: string, levels: number, how: "run" | "map"): Promise<string> => {
    const executor = Executor.current()
    if (how === "run") {
      return levels === 0 ? executor.run(note, path, line) : executor.run(noteBelow, path, line, levels - 1, how)
    }
    for await (const noted of executor.starmap(note, [[path, line]])) return noted
    throw new Error("nothing noted")
  },
  /** Adds a line to a file with a call of a priority of its own. */
  noteBelowAs: (path: string, line: string, priority: number): Promise<string> =>
    Executor.current().run(Task.with(note, { priority }), path, line),
  /** Adds a line to a file after some milliseconds: too long for a worker to be sent more than it runs. */
  noteSlowly: async (path: string, line: string): Promise<string> => {
    await new Promise((resolve) => setTimeout(resolve, 3))
    return note(path, line)
  },
  nestedFailure: (name: keyof typeof failures, code: number): Promise<never> =>
    Executor.current().run(failures[name], code),
  nestedMap: async (items: ReadonlyArray<number>): Promise<Array<number>> => {
    const doubled: Array<number> = []
    for await (const each of Executor.current().map(double, items)) doubled.push(each)
    return doubled
  },
  nestedSettled: async (items: ReadonlyArray<number>): Promise<Array<string>> => {
    const states: Array<string> = []
    for await (const { status } of Executor.current().mapSettled(throwWhenOdd, items)) states.push(status)
    return states
  },
  /** What comes of an attempt to end the executor that it runs on. */
  nestedShutdown: async (): Promise<string> => {
    try {
      await Executor.current().shutdown()
      return "ended"
    } catch (error) {
      return (error as Error).name
    }
  },
  nestedStarmap: async (tuples: ReadonlyArray<[path: string, line: string]>): Promise<Array<string>> => {
    const lines: Array<string> = []
    for await (const line of Executor.current().starmap(note, tuples)) lines.push(line)
    return lines
  },
  nestedStream: async function*(end: number): AsyncGenerator<number> {
    for await (const n of Executor.current().stream(count, end)) yield n * 2
  },
  nestedTagged: (id: string): Promise<never> => Executor.current().run(failTagged, id),
  /**
   * Waits, so many levels deep, for a call that goes on until it is asked to stop; beside that it has handed in another. Notes how its own waiting
   * ended, by a call that it hands in then.
   */
  stopBelow: async (port: number, word: string, path: string, levels: number): Promise<void> => {
    const executor = Executor.current()
    try {
      if (levels > 0) await executor.run(stopBelow, port, word, path, levels - 1)
      else {
        executor.submit(stopWhenAsked, port, `${word} beside`)
        await executor.run(stopWhenAsked, port, word)
      }
    } catch (error) {
      await executor.run(note, path, `${levels}: ${(error as Error).name}, ${(error as CancelledError).reason}`)
    }
  },
  /** Once it is released, hands in a call and waits for it. */
  waitThenNote: async (port: number, word: string, path: string): Promise<string> => {
    await waitFor(port, word)
    return await Executor.current().run(note, path, word)
  }
}, { errors: [Declined, Missing] })
