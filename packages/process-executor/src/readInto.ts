/** Reading frames from a socket without memory of its own for each piece. */
import { Socket } from "node:net"
import type { OnReadOpts } from "node:net"

/** Bytes that are read at a time, at most: what the system holds ready for a socket. */
export const READ_AT_A_TIME = 256 * 1024

/** Takes bytes, as `FrameReader` does. */
export interface ByteReader {
  /** Where the next bytes had best be read to; `undefined`: anywhere. */
  readonly room: Uint8Array | undefined
  /** Takes the next bytes; their memory may be used again once it returns. Does not throw. */
  readonly push: (chunk: Uint8Array) => void
}

/** One buffer for all that is read, since the reader keeps nothing of it; large views go straight to where they belong. */
export const readInto = (reader: ByteReader): OnReadOpts => {
  let shared: Buffer | undefined
  return {
    buffer: () => reader.room ?? (shared ??= Buffer.allocUnsafeSlow(READ_AT_A_TIME)),
    callback: (count, buffer) => {
      reader.push(buffer.subarray(0, count))
      return true
    }
  }
}

/** The handle of a socket, as Node's own modules hand it from one socket to another. */
interface Holder {
  _handle?: { readonly useUserBuffer?: unknown } | null
}

/**
 * The other end of a child's pipe. Who starts a process cannot say how its pipes are read: so the socket that Node made gives its handle to one that is
 * read in this way. Where there is no such handle, it is read as it is.
 */
export const readPipe = (made: Socket, reader: ByteReader): Socket => {
  const holder = made as unknown as Holder
  const { _handle: handle } = holder
  if (typeof handle?.useUserBuffer !== "function") return made.on("data", (chunk) => reader.push(chunk))
  holder._handle = null
  return new Socket({ handle, readable: true, writable: false, onread: readInto(reader) } as object)
}
