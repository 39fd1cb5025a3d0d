// As it is at the start: a task may replace the global `process`.
const { hrtime } = process

/**
 * Milliseconds of the machine's monotonic clock: one clock for all threads and processes of a machine. `performance.now()` counts from the start of each,
 * and an offset taken once would be wrong by however long a process stood still between two readings.
 */
export const monotonic = (): number => {
  const [seconds, nanoseconds] = hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}
