/** Never run: what the compiler of a user has to know. */
import type { CancelledError, Executor, SubmittedFuture, TaskError } from "@futures/core"
import type { ProcessExecutor } from "@futures/process-executor"
import type { ThreadExecutor } from "@futures/thread-executor"
import type * as Effect from "effect/Effect"
import { double, fib } from "./tasks.ts"

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const same = <A, B>(answer: Same<A, B>): unknown => answer

export const checks = (thread: ThreadExecutor, child: ProcessExecutor, cancelled: CancelledError): void => {
  for (const executor of [thread, child] satisfies Array<Executor>) {
    const future = executor.submit(fib, 1)
    same<typeof future, SubmittedFuture<number, never>>(true)
    const doubled = executor.run(double, 1)
    same<typeof doubled, Promise<number>>(true)
    // @ts-expect-error a text is no number
    executor.submit(fib, "1")
    // @ts-expect-error a plain function does not travel
    executor.submit((n: number) => n, 1)
  }
  const error: TaskError = cancelled
  same<typeof error._tag extends string ? true : false, true>(true)
  same<ReturnType<typeof double>, Effect.Effect<number>>(true)
}
