/** piscina, as it comes, or with 16 calls a worker. */
import { Piscina } from "piscina"
import type { Adapter } from "../src/contender.ts"

const filename = new URL("../tasks/work.js", import.meta.url).href
const mover = new URL("workers/piscina-move.js", import.meta.url).href

export const open: Adapter["open"] = ({ variant, workers }) => {
  const pool = new Piscina({
    filename,
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: Number(variant ?? 1)
  })
  return {
    call: (name, argument) => pool.run(argument, { name }),
    move: (bytes) => pool.run(Piscina.move(bytes), { filename: mover, name: "move" }),
    close: () => pool.destroy()
  }
}
