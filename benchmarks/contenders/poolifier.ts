/** poolifier, on threads or in a cluster, as it comes: every call goes to a worker at once. */
import { fileURLToPath } from "node:url"
import { FixedClusterPool, FixedThreadPool } from "poolifier"
import type { Adapter } from "../src/contender.ts"

const script = (kind: string): string => fileURLToPath(new URL(`workers/poolifier-${kind}.js`, import.meta.url))

export const open: Adapter["open"] = ({ kind, workers }) => {
  const pool = kind === "process"
    ? new FixedClusterPool(workers, script("cluster"), { settings: { serialization: "advanced" } })
    : new FixedThreadPool(workers, script("thread"))
  return {
    call: (name, argument) => pool.execute(argument, name),
    map: async (name, items) => {
      let sum = 0
      for (const value of await pool.mapExecute(items, name) as Array<number>) sum += value
      return sum
    },
    close: () => pool.destroy()
  }
}
