/** Passes what tasks write on to this process's stdout and stderr, and grants workers credit as those take it. */

/** Where output comes from: a worker that waits for credit. */
export interface Writer {
  /** So much of what it wrote was taken. */
  readonly creditOutput: (stream: 1 | 2, size: number) => void
}

/** Writers that wait for a full stream, each with what it wrote. */
const waiting = new WeakMap<NodeJS.WritableStream, Map<Writer, number>>()

export const passOn = (writer: Writer, stream: 1 | 2, chunk: Uint8Array | string): void => {
  const target = stream === 1 ? process.stdout : process.stderr
  // Strings are UTF-8 on the wire, whatever the default encoding of this stream.
  const isTaken = typeof chunk === "string" ? target.write(chunk, "utf8") : writeBytes(target, chunk)
  if (isTaken !== false || target.writableNeedDrain !== true || target.destroyed) {
    return writer.creditOutput(stream, chunk.length)
  }
  const held = waiting.get(target) ?? wait(target, stream)
  held.set(writer, (held.get(writer) ?? 0) + chunk.length)
}

/**
 * Writes bytes, and frees their memory once they are written: V8 looks for unused memory outside of its heap only when tens of mebibytes have been
 * allocated. A stream whose `write` was replaced may keep them.
 */
const writeBytes = (target: NodeJS.WriteStream, bytes: Uint8Array): boolean => {
  const { buffer, byteLength } = bytes
  const isAlone = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength && !Object.hasOwn(target, "write")
  return isAlone ? target.write(bytes, () => void buffer.transfer(0)) : target.write(bytes)
}

const wait = (target: NodeJS.WriteStream, stream: 1 | 2): Map<Writer, number> => {
  const held = new Map<Writer, number>()
  waiting.set(target, held)
  const release = (): void => {
    target.off("drain", release).off("close", release)
    waiting.delete(target)
    for (const [writer, size] of held) writer.creditOutput(stream, size)
  }
  // Closed: nobody reads any more, and writers are not to wait for it.
  target.on("drain", release).on("close", release)
  return held
}
