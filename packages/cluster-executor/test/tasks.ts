import { Task } from "@futures/core"
import { appendFileSync, existsSync, readFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"

const appears = async (path: string): Promise<void> => {
  while (!existsSync(path)) await sleep(5)
}

export const { add, bytes, double, echo, fail, fatal, hold, letters, note, noteUntil, size, sum, where } = Task.module(
  import.meta,
  {
    add: (a: number, b: number): number => a + b,
    bytes: (length: number): Uint8Array => new Uint8Array(length),
    double: (n: number): number => 2 * n,
    echo: <A>(value: A): A => value,
    fail: (message: string): never => {
      throw new RangeError(message)
    },
    /** Kills the engine that it runs on. */
    fatal: async (path: string): Promise<never> => {
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
    letters: async function*(gate: string): AsyncGenerator<string> {
      yield "a"
      await appears(gate)
      yield "b"
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
    size: (value: Uint8Array): number => value.length,
    sum: (numbers: ReadonlyArray<number>): Array<number> => [numbers.reduce((a, b) => a + b, 0)],
    where: (): number => process.ppid
  }
)
