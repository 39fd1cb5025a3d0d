/** Reading a pipe while the program exits. Not for children, which would load `node:fs` for it. */
import { timers } from "@futures/core/Backend"
import { readSync } from "node:fs"
import type { Socket } from "node:net"
import { READ_AT_A_TIME } from "./readInto.ts"
import type { ByteReader } from "./readInto.ts"

const { performance } = timers

/** How long to wait for bytes before looking again, in milliseconds. */
const LOOK_EVERY_MS = 2

/**
 * Reads a pipe, blocking, until the other end is closed or so many milliseconds are over. Returns whether it is closed. For the end of the program, when
 * nothing else is read any more.
 */
export const readToEnd = (socket: Socket, reader: ByteReader, timeoutMs: number): boolean => {
  const { fd = -1 } = (socket as unknown as { readonly _handle?: { readonly fd?: number } | null })._handle ?? {}
  // Closed already; or, on Windows, not readable in this way.
  if (fd < 0) return true
  const until = performance.now() + timeoutMs
  const buffer = Buffer.allocUnsafeSlow(READ_AT_A_TIME)
  const sleep = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  for (;;) {
    try {
      const count = readSync(fd, buffer)
      if (count === 0) return true
      reader.push(buffer.subarray(0, count))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return true
      if (performance.now() > until) return false
      Atomics.wait(sleep, 0, 0, LOOK_EVERY_MS)
    }
  }
}
