/**
 * The work, as plain JavaScript: what peers and bare workers load. Peers ship as JavaScript too, so nobody is charged for stripping types here.
 * `futures.ts` holds the same functions as tasks.
 */
import { threadId } from "node:worker_threads"

const asleep = new Int32Array(new SharedArrayBuffer(4))

export const noop = () => undefined
const worker = () => `${process.pid}/${threadId}`

/** Blocks without using the processor, and returns which worker this is. */
export const sleep = (ms) => {
  Atomics.wait(asleep, 0, 0, ms)
  return worker()
}
/** Blocks by the wall clock, whatever else the machine does. */
export const spin = (ms) => {
  for (const end = performance.now() + ms; performance.now() < end;);
}
/** Takes a while, and tells which worker this is. */
export const who = (ms) => {
  spin(ms)
  return worker()
}
export const fib = (n) => n < 2 ? n : fib(n - 1) + fib(n - 2)
export const double = (n) => n * 2
/** For contenders that have to cut a map into chunks themselves. */
export const doubles = (items) => items.map(double)
export const echo = (bytes) => bytes

/** All of it by name. */
export const work = { noop, sleep, spin, who, fib, double, doubles, echo }
