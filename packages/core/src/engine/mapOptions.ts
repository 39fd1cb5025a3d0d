/** The options of a map, checked. */
import { toBytes } from "../byteSize.ts"
import type { ByteSizeInput } from "../byteSize.ts"
import { LONGEST_DELAY, toMillis } from "../duration.ts"
import type { DurationInput } from "../duration.ts"
import { InvalidOptionError } from "../ExecutorError.ts"
import { ownOptions } from "../unknownOption.ts"
import { bound } from "./asyncContext.ts"

/** Options of `map`, `mapSettled` and `starmap`. */
export interface MapOptions {
  /** Items sent to a worker together: a number, or `"auto"` (default), which follows the measured time of an item. `bufferBytes` may make a chunk smaller. */
  readonly chunkSize?: number | "auto" | undefined
  /**
   * Items pulled from the input and not yet yielded, at most. Default: four chunks for each call that can run at a time, and at least 1,024 items
   * behind a slow one. On a cluster with a round trip of 8 ms or more, as many more as fill it.
   */
  readonly bufferSize?: number | undefined
  /**
   * Estimated size of items and results pulled and not yet yielded, at most: bytes, or such as `"256 MiB"`; 64 MiB by default. One item may exceed
   * it, and results of what is running when it is reached come on top.
   */
  readonly bufferBytes?: ByteSizeInput | undefined
  /** Yield in the order of the input (default), or as results come. */
  readonly ordered?: boolean | undefined
  /** How long the whole may take, counted from the first `next`; then `next` throws `TaskTimeoutError` (`clock: "wait"`) and the rest is cancelled. */
  readonly timeout?: DurationInput | undefined
  /** How long each item may run, as measured by its worker; one that takes longer fails with `TaskTimeoutError` (`clock: "run"`), and no other does. */
  readonly itemTimeout?: DurationInput | undefined
  /**
   * Stops the map: nothing more is pulled, what has not started never runs, what runs is interrupted. What is done is yielded; then `mapSettled` and
   * `mapExit` end, and `map` and `starmap` throw `CancelledError` (`reason: "signal"`).
   */
  readonly signal?: AbortSignal | undefined
  /** Called whenever items are done; errors thrown by it become a warning. */
  readonly onProgress?: ((progress: MapProgress) => void) | undefined
}

/** How far a map is, in items. */
export interface MapProgress {
  /** Pulled from the input. */
  readonly pulled: number
  /** Settled: yielded, or about to be. */
  readonly done: number
  /** Those of them that failed; cancelled ones are not counted. */
  readonly failed: number
  /** All that there are: at once where the input can tell (`length`, `size`), `undefined` for others until they have ended. */
  readonly total: number | undefined
}

export interface ResolvedMapOptions {
  /** `undefined`: follows the time of an item. */
  readonly chunkSize: number | undefined
  readonly bufferSize: number | undefined
  readonly bufferBytes: number
  readonly ordered: boolean
  /** In milliseconds. */
  readonly timeout: number
  /** In milliseconds. */
  readonly itemTimeout: number
  readonly signal: AbortSignal | undefined
  readonly onProgress: MapOptions["onProgress"]
}

const DEFAULT_BUFFER_BYTES = 64 * 2 ** 20

const names = [
  "chunkSize",
  "bufferSize",
  "bufferBytes",
  "ordered",
  "timeout",
  "itemTimeout",
  "signal",
  "onProgress"
] as const satisfies ReadonlyArray<keyof MapOptions>

/** Throws `InvalidOptionError` naming the first wrong option. */
export const resolveMapOptions = (options: MapOptions | undefined): ResolvedMapOptions => {
  const {
    bufferBytes = DEFAULT_BUFFER_BYTES,
    bufferSize,
    chunkSize = "auto",
    itemTimeout = Infinity,
    onProgress,
    ordered = true,
    signal,
    timeout = Infinity
  } = ownOptions(options, names, "map")
  if (chunkSize !== "auto") atLeastOne("chunkSize", chunkSize, ` or "auto"`)
  if (bufferSize !== undefined) atLeastOne("bufferSize", bufferSize)
  must(typeof ordered === "boolean", "ordered", ordered, "true or false")
  must(onProgress === undefined || typeof onProgress === "function", "onProgress", onProgress, "a function")
  must(signal === undefined || signal instanceof AbortSignal, "signal", signal, "an AbortSignal")
  return {
    chunkSize: chunkSize === "auto" ? undefined : chunkSize,
    bufferSize,
    bufferBytes: bufferBytes === Infinity ? Infinity : toBytes(bufferBytes, "bufferBytes"),
    ordered,
    timeout: toMillis(timeout, "timeout"),
    itemTimeout: finite(toMillis(itemTimeout, "itemTimeout")),
    signal,
    onProgress: onProgress === undefined ? undefined : bound(onProgress)
  }
}

/** What no timer holds is no limit. */
const finite = (ms: number): number => ms > LONGEST_DELAY ? Infinity : ms

const must = (holds: boolean, option: string, received: unknown, expected: string): void => {
  if (!holds) throw new InvalidOptionError({ option, received, expected })
}

const atLeastOne = (option: string, received: unknown, more = ""): void =>
  must(
    typeof received === "number" && Number.isSafeInteger(received) && received >= 1,
    option,
    received,
    `a whole number of at least 1${more}`
  )
