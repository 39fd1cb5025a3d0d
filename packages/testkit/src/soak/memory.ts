/** Whether memory is flat. */

/** Bytes: what is reachable after a collection, and what the system has given the process. */
export interface Sample {
  readonly heap: number
  readonly resident: number
}

/** Twice, with a turn between: what a finalizer lets go of is collected by the second. */
export const sample = async (): Promise<Sample> => {
  for (let time = 0; time < 2; time++) {
    globalThis.gc!()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { external, heapUsed, rss } = process.memoryUsage()
  return { heap: heapUsed + external, resident: rss }
}

const MIB = 2 ** 20

/** What may come and go: code that is compiled late, a worker more or less. The system's share is coarse, and an allocator gives little of it back. */
const ALLOWED: Sample = { heap: 1.5 * MIB, resident: 24 * MIB }

/** So many samples say something about a trend. */
const ENOUGH = 32

export interface Trend {
  readonly grew: boolean
  readonly lines: ReadonlyArray<string>
}

/**
 * Compares the median of the second quarter with that of the last: the first quarter warms up, a median leaves out what one sample caught by chance,
 * and what leaks with each call or executor grows between the two by far more than is allowed.
 */
export const trendOf = (samples: ReadonlyArray<Sample>): Trend => {
  const quarter = Math.floor(samples.length / 4)
  const mib = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`
  const judged = samples.length >= ENOUGH
  let grew = false
  const lines = (["heap", "resident"] as const).map((what) => {
    const values = samples.map((each) => each[what])
    const from = median(values.slice(quarter, 2 * quarter))
    const to = median(values.slice(-quarter))
    const grows = judged && to - from > ALLOWED[what]
    grew ||= grows
    const ends = `${what} ${mib(values[0] ?? 0)} at the start, ${mib(values.at(-1) ?? 0)} at the end`
    return judged
      ? `${ends}; second quarter ${mib(from)}, last quarter ${mib(to)}: ${grows ? "it grows" : "flat"}`
      : `${ends}; too few samples (${samples.length}) for a trend`
  })
  return { grew, lines }
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
