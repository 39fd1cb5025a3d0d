// Python:  def who(seconds):
//              time.sleep(seconds)
//              return os.getpid()

import { Task } from "@futures/core"
import { threadId } from "node:worker_threads"

/** Blocks this thread, as Python's `time.sleep` does: meanwhile nothing else runs on it. */
const sleep = (seconds: number): void => {
  if (typeof seconds !== "number") throw new TypeError(`sleep wants seconds, not ${JSON.stringify(seconds)}`)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000)
}

export const { who } = Task.module(import.meta, {
  /** Sleeps, then tells which process and which thread (0 is the main one) it ran on. */
  who: (seconds: number) => {
    sleep(seconds)
    return { pid: process.pid, threadId }
  }
})
