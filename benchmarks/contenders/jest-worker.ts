/** jest-worker, on threads or processes. */
import { Worker } from "jest-worker"
import { fileURLToPath } from "node:url"
import type { Adapter, Work } from "../src/contender.ts"

const script = fileURLToPath(new URL("../tasks/work.js", import.meta.url))
const exposedMethods: ReadonlyArray<Work> = ["noop", "sleep", "spin", "who", "fib", "double", "doubles", "echo"]

export const open: Adapter["open"] = ({ kind, workers }) => {
  const pool = new Worker(script, { exposedMethods, enableWorkerThreads: kind === "thread", numWorkers: workers })
  const methods = pool as unknown as Record<Work, (argument: unknown) => Promise<unknown>>
  return { call: (name, argument) => methods[name](argument), close: () => pool.end() }
}
