/** Durations as people write them (Effect's `Duration.Input`), as milliseconds. */
import * as Duration from "effect/Duration"
import { InvalidOptionError } from "./ExecutorError.ts"

/** What every duration of ours may be given as: milliseconds, `"5 seconds"`, or an Effect `Duration`. */
export type DurationInput = Duration.Input

const expected = `a duration that is not negative: milliseconds as a number, or such as "5 seconds"`

/** Milliseconds, possibly `Infinity`. Throws `InvalidOptionError`, naming `option`, for what is not a duration or is negative. */
export const toMillis = (input: DurationInput, option: string): number => {
  let millis: number
  try {
    millis = typeof input === "number" ? input : Duration.toMillis(Duration.fromInputUnsafe(input))
  } catch {
    millis = NaN
  }
  if (!(millis >= 0)) throw new InvalidOptionError({ option, received: input, expected })
  return millis
}

/** The longest delay that a Node timer holds; it fires at once when given more. */
export const LONGEST_DELAY = 2 ** 31 - 1
