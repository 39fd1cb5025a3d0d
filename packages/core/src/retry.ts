/** Whether, and after what pause, a call is tried again. Decided in the caller: predicates and schedules do not travel. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import { toMillis } from "./duration.ts"
import { InvalidOptionError } from "./ExecutorError.ts"
import type { RetryOptions, TaskOptions } from "./Task.ts"
import { wallClock } from "./timers.ts"
import { ownOptions } from "./unknownOption.ts"

/** One call's policy: milliseconds to wait before the next attempt, or `undefined` when there is to be none. */
export type RetryPolicy = (error: unknown, attempts: number) => number | undefined

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const retryNames: ReadonlyArray<keyof RetryOptions> = ["times", "delay", "factor", "while"]

const invalid = (received: unknown): InvalidOptionError =>
  new InvalidOptionError({
    option: "retry",
    received,
    expected: "a whole number of at least 0, { times, delay, factor, while }, or a Schedule"
  })

/** Checks the option once; the answer makes the policy of each call. Throws `InvalidOptionError`. */
export const retryPolicy = (retry: TaskOptions["retry"] & {}): () => RetryPolicy => {
  if (typeof retry === "number") {
    if (!isCount(retry)) throw invalid(retry)
    return () => (_, attempts) => attempts <= retry ? 0 : undefined
  }
  if (typeof retry !== "object" || retry === null) throw invalid(retry)
  if (Schedule.isSchedule(retry)) return () => scheduled(retry as Schedule.Schedule<unknown, unknown>)
  const { delay = 0, factor = 1, times, while: worth } = ownOptions(retry as RetryOptions, retryNames, "retry")
  if (
    !isCount(times) || typeof factor !== "number" || !(factor > 0) ||
    (worth !== undefined && typeof worth !== "function")
  ) {
    throw invalid(retry)
  }
  const first = toMillis(delay, "retry.delay")
  return () => (error, attempts) => {
    if (attempts > times || worth?.(error) === false) return undefined
    return first * factor ** (attempts - 1)
  }
}

const scheduled = (schedule: Schedule.Schedule<unknown, unknown>): RetryPolicy => {
  const step = Effect.runSync(Schedule.toStep(schedule))
  return (error) => {
    const exit = Effect.runSyncExit(step(wallClock(), error) as Effect.Effect<[unknown, Duration.Duration], unknown>)
    return Exit.isSuccess(exit) ? Duration.toMillis(exit.value[1]) : undefined
  }
}
