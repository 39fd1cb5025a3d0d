/** Tasks that know which attempt they are, and write it down: what was tried, and how often, is then no matter of trust. */
import { Task } from "@futures/core"
import { appendFileSync } from "node:fs"
import { asked } from "./tasksSignals.ts"

const begin = (path: string): number => {
  const { attempt } = Task.current()!
  appendFileSync(path, `${attempt}\n`)
  return attempt
}

export const { exitEach, exitUntil, exitOnceThenThrow, loseFunction, pushUntil, throwUntil, waitUntil } = Task.module(
  import.meta,
  {
    /** Ends its worker, each time. */
    exitEach: (path: string): never => process.exit(begin(path) + 10),
    /** Ends its worker until the attempt that is given, and answers with that. */
    exitUntil: (path: string, good: number): number => {
      const attempt = begin(path)
      return attempt < good ? process.exit(attempt) : attempt
    },
    exitOnceThenThrow: (path: string): never => {
      const attempt = begin(path)
      if (attempt === 1) process.exit(attempt)
      throw new RangeError(`attempt ${attempt}`)
    },
    /** Its result cannot travel. */
    loseFunction: (path: string): unknown => ({ callback: () => begin(path), attempt: begin(path) }),
    /** Changes its argument, and fails until the attempt that is given. */
    pushUntil: (path: string, good: number, list: Array<number>): Array<number> => {
      list.push(begin(path))
      if (list.at(-1)! < good) throw new RangeError("not yet")
      return list
    },
    /** Fails until the attempt that is given, and answers with that. */
    throwUntil: (path: string, good: number): number => {
      const attempt = begin(path)
      if (attempt < good) throw new RangeError(`attempt ${attempt}`)
      return attempt
    },
    /** Takes as long as it may until the attempt that is given, and answers with that. */
    waitUntil: async (path: string, good: number): Promise<number> => {
      const attempt = begin(path)
      if (attempt < good) await asked()
      return attempt
    }
  }
)
