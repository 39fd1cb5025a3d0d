/** The work as tasks of ours; the same functions as in `work.js`. */
import { Task } from "@futures/core"
import { threadId } from "node:worker_threads"

const asleep = new Int32Array(new SharedArrayBuffer(4))

const worker = (): string => `${process.pid}/${threadId}`
const spin = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end;);
}
const fib = (n: number): number => n < 2 ? n : fib(n - 1) + fib(n - 2)

export const work = Task.module(import.meta, {
  noop: () => undefined,
  sleep: (ms: number) => {
    Atomics.wait(asleep, 0, 0, ms)
    return worker()
  },
  spin,
  who: (ms: number) => {
    spin(ms)
    return worker()
  },
  fib,
  double: (n: number) => n * 2,
  echo: (bytes: Uint8Array) => bytes,
  move: (bytes: Uint8Array<ArrayBuffer>) => Task.transfer(bytes, [bytes.buffer])
})
