/** The tasks of `docs/coming-from-python.md`. */
import { Task } from "@futures/core"
import { threadId, threadName } from "node:worker_threads"

export class OutOfStock extends Error {
  override readonly name = "OutOfStock"
}

let greeting = "nobody set me up"

export const { count, die, fail, greet, hold, lambda, pow, reciprocal, report, setUp, sleep, square, squares, where } =
  Task.module(
    import.meta,
    {
      pow: (base: number, exponent: number) => base ** exponent,
      square: (n: number) => n * n,
      squares: (numbers: ReadonlyArray<number>) => numbers.map((n) => n * n),
      report: () => Task.current()?.progress("half way"),
      reciprocal: (n: number) => {
        if (n === 0) throw new RangeError("division by zero")
        return 1 / n
      },
      fail: (): never => {
        throw new OutOfStock("no more of these")
      },
      greet: ({ name }: { readonly name: string }) => `${greeting}, ${name}`,
      setUp: (word: string) => {
        greeting = word
      },
      sleep: (millis: number) => new Promise<number>((resolve) => setTimeout(resolve, millis, millis)),
      /** Never ends by itself. */
      hold: () => new Promise<never>(() => {}),
      die: (code: number): never => process.exit(code),
      lambda: (n: number) => (m: number) => n + m,
      count: (bytes: Int32Array) => Atomics.add(bytes, 0, 1),
      where: () => ({
        pid: process.pid,
        threadId,
        threadName,
        workerId: Task.current()?.workerId,
        workerNumber: Task.current()?.workerNumber
      })
    },
    { errors: [OutOfStock] }
  )
