/** What each process runs. */
import { encodeFrame, FrameReader, serve } from "@futures/core/Worker"
import { writeSync } from "node:fs"
import { Socket } from "node:net"

const served = serve({
  sharesMemory: false,
  // Written when `send` returns: a process that exits right behind it loses no frame.
  send: (frame) => {
    const bytes = encodeFrame(frame)
    for (let at = 0; at < bytes.length;) at += writeSync(4, bytes, at)
  },
  end: () => process.exit(0),
  memoryUsage: () => process.memoryUsage.rss()
})
const reader = new FrameReader(served.receive, () => process.exit(1))
const fromParent = new Socket({ fd: 3, readable: true, writable: false })
fromParent.on("data", (chunk) => reader.push(chunk))
// The parent is gone.
fromParent.on("close", () => process.exit(1))
