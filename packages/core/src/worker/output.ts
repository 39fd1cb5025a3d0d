/**
 * What tasks write to stdout and stderr travels in frames, on the same ordered wire as their outcomes: a reply can then never overtake what was
 * written before it, and nothing is lost when the worker ends.
 */
import { Kind } from "../wire/frames.ts"
import type { Host } from "./host.ts"
import { process } from "./process.ts"

let piped = false

/** Redirects this worker's stdout and stderr; once. */
export const pipeOutput = (host: Host): void => {
  if (piped) return
  piped = true
  redirect(process.stdout, 1, host)
  redirect(process.stderr, 2, host)
}

const redirect = (stream: NodeJS.WriteStream, number: 1 | 2, host: Host): void => {
  stream._write = (chunk: Uint8Array | string, _: BufferEncoding, done: () => void): void => {
    host.send(Kind.Output, number, typeof chunk === "string" ? chunk : new Uint8Array(chunk))
    done()
  }
  stream._writev = (chunks: ReadonlyArray<{ readonly chunk: Uint8Array | string }>, done: () => void): void => {
    for (const { chunk } of chunks) {
      host.send(Kind.Output, number, typeof chunk === "string" ? chunk : new Uint8Array(chunk))
    }
    done()
  }
}
