import type { Executor } from "./ExecutorService.ts"

/**
 * Uses an executor and ends it: waits for everything when the body succeeds; cancels what is pending and interrupts what runs when it throws, which
 * `await using` cannot know.
 *
 * ```ts
 * const answer = await withExecutor(new ThreadExecutor(), (executor) => executor.run(fib, 30))
 * ```
 */
export const withExecutor = async <E extends Executor, A>(
  executor: E,
  body: (executor: E) => Promise<A> | A
): Promise<A> => {
  let value: A
  try {
    value = await body(executor)
  } catch (error) {
    await executor.terminate()
    throw error
  }
  await executor.shutdown()
  return value
}
