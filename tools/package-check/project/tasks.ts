import { Executor, Task } from "@futures/core"
import * as Effect from "effect/Effect"
import { threadId } from "node:worker_threads"

export class Declined extends Error {
  override readonly name = "Declined"
  readonly code: number
  constructor(code: number) {
    super(`Declined with ${code}`)
    this.code = code
  }
}

export const { decline, double, fib, fibThere, where } = Task.module(import.meta, {
  fib: (n: number): number => n < 2 ? n : fib(n - 1) + fib(n - 2),
  double: (n: number) => Effect.succeed(2 * n),
  decline: (code: number): never => {
    throw new Declined(code)
  },
  fibThere: (n: number): Promise<number> => Executor.current().run(fib, n),
  where: (): string => `${process.pid}/${threadId}`
}, { errors: [Declined] })
