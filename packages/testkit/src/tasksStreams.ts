/** Generator tasks, and tasks that report what they do. */
import { Task } from "@futures/core"
import { appendFileSync } from "node:fs"
import { asked, say } from "./tasksSignals.ts"

const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const noteLine = (path: string, line: string): void => appendFileSync(path, `${line}\n`)

export const {
  cleanUpSlowly,
  count,
  countLater,
  countSlowly,
  countThenThrow,
  countThenThrowLater,
  endless,
  endlessLater,
  exitAfter,
  logged,
  reportAndChange,
  reportAttempt,
  reportFunction,
  reporting,
  sayThenWait,
  yieldAll,
  yieldFunction
} = Task.module(
  import.meta,
  {
    /** Its `finally` takes a while, and ends with a word. */
    cleanUpSlowly: async function*(port: number, word: string): AsyncGenerator<number> {
      try {
        for (let n = 0;; n++) yield n
      } finally {
        await pause()
        await say(port, word)
      }
    },
    count: function*(end: number): Generator<number> {
      for (let n = 0; n < end; n++) yield n
    },
    /** Sleeps so many milliseconds before each item. */
    countSlowly: async function*(end: number, millis: number): AsyncGenerator<number> {
      for (let n = 0; n < end; n++) {
        await new Promise((resolve) => setTimeout(resolve, millis))
        yield n
      }
    },
    countLater: async function*(end: number): AsyncGenerator<number> {
      for (let n = 0; n < end; n++) {
        await pause()
        yield n
      }
    },
    countThenThrow: function*(end: number): Generator<number> {
      for (let n = 0; n < end; n++) yield n
      throw new RangeError(`after ${end}`)
    },
    countThenThrowLater: async function*(end: number): AsyncGenerator<number> {
      for (let n = 0; n < end; n++) yield n
      await pause()
      throw new RangeError(`after ${end}`)
    },
    /** Writes down each item before it yields it, and that it was stopped. */
    endless: function*(path: string): Generator<number> {
      try {
        for (let n = 0;; n++) {
          noteLine(path, String(n))
          yield n
        }
      } finally {
        noteLine(path, "finally")
      }
    },
    endlessLater: async function*(path: string): AsyncGenerator<number> {
      try {
        for (let n = 0;; n++) {
          noteLine(path, String(n))
          yield n
          await pause()
        }
      } finally {
        await pause()
        noteLine(path, "finally")
      }
    },
    /** Ends its worker after so many items. */
    exitAfter: async function*(end: number): AsyncGenerator<number> {
      for (let n = 0; n < end; n++) yield n
      await pause()
      process.exit(5)
    },
    logged: (text: string): number => {
      const { id, log } = Task.current()!
      log("%s and %d", text, 5)
      return id
    },
    /** Changes the report after it was given. */
    reportAndChange: (): void => {
      const report = { n: 1 }
      Task.current()!.progress(report)
      report.n = 2
    },
    reportAttempt: (good: number): number => {
      const { attempt, progress } = Task.current()!
      progress(attempt)
      if (attempt < good) throw new RangeError("not yet")
      return attempt
    },
    /** Its report cannot travel. */
    reportFunction: (): string => {
      try {
        Task.current()!.progress(() => 1)
        return "accepted"
      } catch (error) {
        return (error as Error).name
      }
    },
    /** Reports each value, with a turn of the loop between them. */
    reporting: async (values: ReadonlyArray<unknown>): Promise<string> => {
      for (const value of values) {
        Task.current()!.progress(value)
        await pause()
      }
      return "reported"
    },
    /** Yields one item, and waits until it is asked to stop. */
    sayThenWait: async function*(port: number, word: string): AsyncGenerator<string> {
      try {
        yield word
        await say(port, word)
        await asked()
      } finally {
        await say(port, `${word} cleaned up`)
      }
    },
    yieldAll: function*(items: ReadonlyArray<unknown>): Generator<unknown> {
      yield* items
    },
    /** Its third item cannot travel. */
    yieldFunction: function*(): Generator<unknown> {
      yield 0
      yield 1
      yield { callback: () => 1 }
    }
  }
)
