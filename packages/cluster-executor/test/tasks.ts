import { Task } from "@futures/core"
import { AsyncLocalStorage } from "node:async_hooks"
import { appendFileSync, existsSync, readFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"

/** What the option `context` carries. */
export const store = new AsyncLocalStorage<unknown>()

/** What an initializer has prepared. */
let prepared: unknown

const appears = async (path: string): Promise<void> => {
  while (!existsSync(path)) await sleep(5)
}

export const {
  add,
  bytes,
  double,
  echo,
  fail,
  fatal,
  hold,
  holdAndExplain,
  holdAndIdentify,
  itself,
  letters,
  nap,
  napAndNote,
  note,
  noteAtExit,
  noteUntil,
  prepare,
  restore,
  size,
  sum,
  surroundings,
  tell,
  where
} = Task.module(
  import.meta,
  {
    itself: (numbers: Float64Array): Float64Array => numbers,
    add: (a: number, b: number): number => a + b,
    bytes: (length: number): Uint8Array => new Uint8Array(length),
    double: (n: number): number => 2 * n,
    echo: <A>(value: A): A => value,
    fail: (message: string): never => {
      throw new RangeError(message)
    },
    /** Kills the engine that it runs on. */
    fatal: async (path: string, _ballast?: Uint8Array): Promise<never> => {
      appendFileSync(path, `${process.ppid}\n`)
      process.kill(process.ppid, "SIGKILL")
      return new Promise<never>(() => {})
    },
    /** Writes a line down, then waits for a file. */
    hold: async (notebook: string, line: string, gate: string): Promise<string> => {
      appendFileSync(notebook, `${line} ${process.ppid}\n`)
      await appears(gate)
      return line
    },
    /** The same, and notes its key and how often it was delivered. */
    holdAndIdentify: async (notebook: string, gate: string): Promise<string> => {
      const { attempt, deliveries, key } = Task.current()!
      appendFileSync(notebook, `${key} ${process.ppid} ${attempt} ${deliveries}\n`)
      await appears(gate)
      return key
    },
    /** Writes a line down, then waits until it is asked to stop, and writes the reason down. */
    holdAndExplain: async (notebook: string, line: string): Promise<void> => {
      appendFileSync(notebook, `${line} ${process.ppid}\n`)
      const { signal } = Task.current()!
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }))
      appendFileSync(notebook, `${String(signal.reason)}\n`)
    },
    letters: async function*(gate: string): AsyncGenerator<string> {
      yield "a"
      await appears(gate)
      yield "b"
    },
    /** Sleeps for `ms` milliseconds. */
    nap: async (ms: number): Promise<number> => {
      await sleep(ms)
      return ms
    },
    /** Writes a line down, then sleeps for `ms` milliseconds. */
    napAndNote: async (ms: number, notebook: string, line: string): Promise<string> => {
      appendFileSync(notebook, `${line} ${process.ppid}\n`)
      await sleep(ms)
      return line
    },
    /** Writes a line down when its worker exits. */
    noteAtExit: (notebook: string, line: string): void => {
      process.on("exit", () => appendFileSync(notebook, `${line}\n`))
    },
    note: (notebook: string, line: string): string => {
      appendFileSync(notebook, `${line} ${process.ppid}\n`)
      return line
    },
    /** Writes a line down, and fails until there are so many. */
    noteUntil: (notebook: string, count: number): number => {
      appendFileSync(notebook, `${process.ppid}\n`)
      const lines = readFileSync(notebook, "utf8").split("\n").length - 1
      if (lines < count) throw new RangeError(`${lines} of ${count}`)
      return lines
    },
    /** An initializer: notes that it ran. */
    prepare: (notebook: string, value: unknown): void => {
      appendFileSync(notebook, `prepared ${process.pid}\n`)
      if (value === undefined) throw new RangeError("nothing to prepare")
      prepared = value
    },
    restore: (value: unknown, run: () => unknown): unknown => store.run(value, run),
    surroundings: (): [prepared: unknown, context: unknown] => [prepared, store.getStore()],
    /** Writes and reports, each line when its gate is open. */
    tell: async (lines: ReadonlyArray<string>, gate: string): Promise<number> => {
      await appears(gate)
      for (const line of lines) {
        Task.current()!.progress({ line })
        process.stdout.write(`${line}\n`)
        process.stderr.write(`${line}!\n`)
      }
      return lines.length
    },
    size: (value: Uint8Array): number => value.length,
    sum: (numbers: ReadonlyArray<number>): Array<number> => [numbers.reduce((a, b) => a + b, 0)],
    where: (): number => process.ppid
  }
)
