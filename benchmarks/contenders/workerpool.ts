/** workerpool, on threads or processes; processes with `advanced` serialisation, since JSON loses bytes. */
import { fileURLToPath } from "node:url"
import workerpool from "workerpool"
import type { Adapter } from "../src/contender.ts"

const script = fileURLToPath(new URL("workers/workerpool.js", import.meta.url))

export const open: Adapter["open"] = ({ kind, workers }) => {
  const pool = workerpool.pool(script, {
    minWorkers: workers,
    maxWorkers: workers,
    workerType: kind === "process" ? kind : "thread",
    forkOpts: { serialization: "advanced" }
  })
  return {
    call: (name, argument) => pool.exec(name, [argument]) as unknown as Promise<unknown>,
    ...(kind === "process" ? {} : {
      move: (bytes) => pool.exec("move", [bytes], { transfer: [bytes.buffer] }) as unknown as Promise<unknown>
    }),
    close: () => pool.terminate() as unknown as Promise<unknown>
  }
}
