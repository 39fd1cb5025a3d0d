/**
 * Milliseconds of the machine's monotonic clock: one clock for all threads and processes of a machine, which `performance.now()` alone is not, since it
 * counts from the start of each.
 */
const [seconds, nanoseconds] = process.hrtime()
const offset = seconds * 1e3 + nanoseconds / 1e6 - performance.now()

export const monotonic = (): number => performance.now() + offset
