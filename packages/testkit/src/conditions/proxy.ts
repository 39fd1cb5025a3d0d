/**
 * A TCP proxy that stands for a network link: it adds delay and jitter, limits bandwidth, and can be stopped, continued and cut.
 *
 * The proxy runs on a thread of its own, so that bytes keep moving while the program that opened it computes.
 */
import { Worker } from "node:worker_threads"

/** What a link does to the bytes that cross it. All apply to each direction separately. */
export interface LinkConditions {
  /** Time from one end to the other (ms), one way. Default 0. */
  readonly delayMs?: number | undefined
  /** Up to this much is added to the delay (ms), at random. Bytes never overtake each other. Default 0. */
  readonly jitterMs?: number | undefined
  /** Bandwidth (bytes per second). Default `Infinity`. */
  readonly bytesPerSecond?: number | undefined
}

/** A proxy that is running. */
export interface LinkProxy extends AsyncDisposable {
  /** Where to connect instead of the target: `127.0.0.1:port`. */
  readonly address: string
  /** Replaces all conditions, for connections that are open too. */
  readonly change: (conditions: LinkConditions) => Promise<void>
  /** Holds all bytes in both directions, until `resume`; connections stay open, and new ones are accepted. */
  readonly pause: () => Promise<void>
  /** Delivers held bytes, in order, and continues. */
  readonly resume: () => Promise<void>
  /** Resets all open connections; bytes on their way are lost. New connections are accepted. */
  readonly cut: () => Promise<void>
  /** Number of open connections. */
  readonly connections: () => Promise<number>
  /** Cuts all connections and stops listening. */
  readonly close: () => Promise<void>
}

/** Sent to the proxy's thread; each is answered once done. */
export type ProxyRequest =
  | { readonly type: "change"; readonly conditions: LinkConditions }
  | { readonly type: "pause" | "resume" | "cut" | "connections" | "close" }

const thread = new URL(import.meta.url.endsWith(".ts") ? "./proxyThread.ts" : "./proxyThread.js", import.meta.url)

/**
 * Opens a proxy in front of a TCP server.
 *
 * ```ts
 * await using link = await openLink("127.0.0.1:4222", { delayMs: 10, jitterMs: 5 })
 * const executor = new ClusterExecutor({ servers: [link.address] })
 * ```
 *
 * @param target `host:port` of the server
 * @throws what `net.Server.listen` reports
 */
export const openLink = async (target: string, conditions: LinkConditions = {}): Promise<LinkProxy> => {
  const worker = new Worker(thread, { workerData: { target, conditions } })
  worker.unref()
  const waiting: Array<(answer: number) => void> = []
  const next = (): Promise<number> => new Promise((resolve) => waiting.push(resolve))
  const failed = new Promise<never>((_, reject) => worker.once("error", reject))
  failed.catch(() => {})
  worker.on("message", (answer: number) => waiting.shift()?.(answer))
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()))
  let isClosed = false
  const ask = async (request: ProxyRequest): Promise<number> => {
    if (isClosed) return 0
    worker.postMessage(request)
    return await Promise.race([next(), failed, ended.then(() => 0)])
  }
  const port = await Promise.race([next(), failed])
  const close = async (): Promise<void> => {
    if (!isClosed) void ask({ type: "close" })
    isClosed = true
    worker.ref()
    await ended
  }
  return {
    address: `127.0.0.1:${port}`,
    change: async (changed) => void await ask({ type: "change", conditions: changed }),
    pause: async () => void await ask({ type: "pause" }),
    resume: async () => void await ask({ type: "resume" }),
    cut: async () => void await ask({ type: "cut" }),
    connections: () => ask({ type: "connections" }),
    close,
    [Symbol.asyncDispose]: close
  }
}
