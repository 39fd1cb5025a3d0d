/** Bare processes: a socket pair on descriptor 3, frames of v8's serialisation behind their length, up to 256 calls a frame. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import type { Socket } from "node:net"
import { fileURLToPath } from "node:url"
import type { Adapter } from "../src/contender.ts"
import { barePool } from "./bare.ts"
import type { StartLine } from "./bare.ts"
import { frame, unframe } from "./workers/frames.js"

const entry = fileURLToPath(new URL("workers/bare-process.js", import.meta.url))

const start: StartLine = (answer) => {
  const child = spawn(process.execPath, [entry], { stdio: ["ignore", "inherit", "inherit", "pipe"] })
  const socket = child.stdio[3] as Socket
  socket.on("data", unframe((values) => answer(values as ReadonlyArray<unknown>)))
  return {
    send: (batch) => void socket.write(frame(batch)),
    close: () => {
      socket.destroy()
      return once(child, "exit")
    }
  }
}

export const open: Adapter["open"] = ({ long, workers }) =>
  barePool(workers, long === true ? { batch: 1, window: 1 } : { batch: 256, window: 2 }, start)
