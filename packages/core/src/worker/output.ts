/**
 * What tasks write to stdout and stderr is sent in frames, on the same ordered wire as their outcomes: an outcome cannot overtake what was
 * written before it, and nothing is lost when the worker ends.
 *
 * A stream that is `OUTPUT_WINDOW_BYTES` ahead of the parent's stream keeps further chunks, and `write` returns `false`, until the parent grants credit;
 * then "drain" follows. What is kept is sent all the same before any other frame.
 */
import { Kind, OUTPUT_WINDOW_BYTES } from "../wire/frames.ts"
import type { Host } from "./host.ts"
import { process } from "./process.ts"

// A task may replace the global one.
const { Buffer } = globalThis

let piped = false

/** Redirects this worker's stdout and stderr; once. */
export const pipeOutput = (host: Host): void => {
  if (piped) return
  piped = true
  const [stdout, stderr] = [redirect(process.stdout, 1, host), redirect(process.stderr, 2, host)]
  host.output = {
    credit: (stream, size) => (stream === 1 ? stdout : stderr).credit(size),
    flush: (isLast) => {
      stdout.flush(isLast)
      stderr.flush(isLast)
    }
  }
}

/** Output streams of a worker. */
export interface Output {
  /** The parent's stream has taken so much. */
  readonly credit: (stream: number, size: number) => void
  /** Sends what is kept. `isLast`: from now on nothing is kept, since the worker ends. */
  readonly flush: (isLast: boolean) => void
}

interface Written {
  readonly chunk: Uint8Array | string
  readonly encoding: BufferEncoding
}

/** The bytes that Node would write. A string in UTF-8 is sent as it is: the parent encodes it. */
const piece = ({ chunk, encoding }: Written): Uint8Array | string => {
  if (typeof chunk !== "string") return new Uint8Array(chunk)
  return /^utf-?8$/i.test(encoding) ? chunk : new Uint8Array(Buffer.from(chunk, encoding))
}

const redirect = (stream: NodeJS.WriteStream, number: 1 | 2, host: Host): {
  readonly credit: (size: number) => void
  readonly flush: (isLast: boolean) => void
} => {
  /** How much the parent has not confirmed. */
  let ahead = 0
  let isUnlimited = false
  /** Called when more may be sent. */
  let next: (() => void) | undefined
  /** What the stream counts for the chunks that are sent and not called back yet. */
  let counted = 0
  const write = (chunks: ReadonlyArray<Written>, done: () => void): void => {
    let size = 0
    for (const written of chunks) {
      const sent = piece(written)
      ahead += sent.length
      size += written.chunk.length
      host.send(Kind.Output, number, sent)
    }
    if (isUnlimited || ahead < OUTPUT_WINDOW_BYTES) return done()
    counted = size
    next = done
  }
  const goOn = (): void => {
    const done = next
    next = undefined
    done?.()
  }
  stream._write = (chunk: Uint8Array | string, encoding: BufferEncoding, done: () => void): void =>
    write([{ chunk, encoding }], done)
  stream._writev = (chunks: ReadonlyArray<Written>, done: () => void): void => write(chunks, done)
  return {
    credit: (size) => {
      ahead -= size
      if (ahead <= OUTPUT_WINDOW_BYTES / 2) goOn()
    },
    flush: (isLast) => {
      if (isLast) isUnlimited = true
      if (next !== undefined && (isLast || stream.writableLength > counted)) goOn()
    }
  }
}
