/** What each child process runs. */
import { encodeFrame, FrameReader, serve } from "@futures/core/Worker"
import { Socket } from "node:net"

const WIRE = 3
const socket = new Socket({ fd: WIRE, readable: true, writable: true })

const served = serve({
  sharesMemory: false,
  send: (frame) => void socket.write(encodeFrame(frame)),
  end: () => process.exit(0),
  memoryUsage: () => process.memoryUsage.rss()
})
const reader = new FrameReader((frame) => served.receive(frame as never), () => process.exit(1))
socket.on("data", (chunk: Uint8Array) => reader.push(chunk))
// The parent is gone, or no longer listens: nobody waits for what runs here.
socket.on("close", () => process.exit(1))
socket.on("error", () => process.exit(1))
