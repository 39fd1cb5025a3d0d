/** tinypool, on threads or processes; processes with `advanced` serialisation, since JSON loses bytes. */
import { Tinypool } from "tinypool"
import type { Adapter } from "../src/contender.ts"

const filename = new URL("../tasks/work.js", import.meta.url).href

export const open: Adapter["open"] = ({ kind, workers }) => {
  const pool = new Tinypool({
    filename,
    runtime: kind === "process" ? "child_process" : "worker_threads",
    serialization: "advanced",
    minThreads: workers,
    maxThreads: workers
  })
  return { call: (name, argument) => pool.run(argument, { name }), close: () => pool.destroy() }
}
