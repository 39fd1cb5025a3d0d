/** Tasks that tell one worker from another: what each was told first, what it did, what it uses. */
import { Executor, Task } from "@futures/core"
import { AsyncLocalStorage } from "node:async_hooks"
import { appendFileSync, readFileSync } from "node:fs"
import { speak } from "./tasksSignals.ts"

/** Whatever `restoreStore` restored. */
export const store = new AsyncLocalStorage<unknown>()

const kept: Array<Array<number>> = []

/** Eight mebibytes at a time: V8 keeps longer arrays as tables. */
const CHUNK = 2 ** 20

const keep = (bytes: number): void => {
  for (let left = bytes; left > 0; left -= 8 * CHUNK) kept.push(new Array<number>(CHUNK).fill(1.5))
}

export const {
  begin,
  beginAs,
  beginBadly,
  beginRejected,
  growAndWait,
  grow,
  holdNumber,
  insideOut,
  listStore,
  readStore,
  readStoreInside,
  restoreStore,
  workerNumber
} = Task.module(
  import.meta,
  {
    /** An initializer: adds a line to a file. */
    begin: async (path: string, ...line: Array<unknown>): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve))
      appendFileSync(path, `${["begin", ...line].join(" ")}\n`)
    },
    /** An initializer: notes its start in a file, and throws if the letter for this start is an "x"; the last one holds from there on. */
    beginAs: (path: string, starts: string): void => {
      appendFileSync(path, "start\n")
      const index = readFileSync(path, "utf8").split("\n").length - 2
      if (starts[Math.min(index, starts.length - 1)] === "x") throw new RangeError(`start ${index}`)
    },
    /** An initializer that fails. */
    beginBadly: (code: number): never => {
      throw Object.assign(new RangeError("a bad beginning"), { code })
    },
    beginRejected: (value: unknown): Promise<never> => Promise.reject(value),
    /** Uses more memory, and keeps it. */
    grow: keep,
    /** Uses more memory, and does not end by itself. */
    growAndWait: (bytes: number): Promise<never> => {
      keep(bytes)
      return new Promise(() => {})
    },
    /** Waits until it is released, and answers with the number of its worker. */
    holdNumber: async (port: number, word: string): Promise<number> => {
      const { workerNumber: number } = Task.current()!
      const { socket, released } = await speak(port, word)
      await released
      socket.destroy()
      return number
    },
    /** What happens to a task that reaches for the whole executor. */
    insideOut: async (): Promise<Array<string>> => {
      const executor = Executor.current()
      const tags: Array<string> = []
      for (const reach of [async () => executor.cancelPending(), () => executor.recycle()]) {
        await reach().then(() => tags.push("done"), (error: { _tag: string }) => tags.push(error._tag))
      }
      return tags
    },
    /** The number of its worker. */
    workerNumber: (): number => Task.current()!.workerNumber,
    listStore: function*(count: number): Generator<unknown> {
      for (let index = 0; index < count; index++) yield store.getStore()
    },
    readStore: async (item: number): Promise<unknown> => {
      const before = store.getStore()
      await new Promise((resolve) => setImmediate(resolve))
      return [item, before, store.getStore()]
    },
    readStoreInside: (): unknown => store.getStore(),
    /** What `restore` of the option `context` may be. */
    restoreStore: (value: unknown, run: () => unknown): unknown => store.run(value, run)
  }
)
