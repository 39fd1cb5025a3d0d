/** Workers for calls of named clients: those with the same initializer and the same way to restore a context share theirs. */
import { encodeFrame, serveCalls, timers } from "@futures/core/Backend"
import type { Backend, CallServer } from "@futures/core/Backend"
import { createHash } from "node:crypto"
import type { WorkerTerms } from "../wire/streams.ts"
import { optionsOf } from "../wire/terms.ts"

const { performance } = timers

/** Workers that have had no call for so long, in milliseconds, end. */
const IDLE = 1_000
/** Servers that have had none for so long are forgotten when another is made. */
const UNUSED = 60_000

export interface CallServersOptions {
  readonly backend: Backend
  readonly slots: number
  readonly env: Readonly<Record<string, string>>
  readonly reply: (kind: number, ...body: ReadonlyArray<unknown>) => void
}

interface Entry {
  readonly server: CallServer
  usedAt: number
}

export class CallServers {
  readonly #options: CallServersOptions
  readonly #entries = new Map<string, Entry>()

  constructor(options: CallServersOptions) {
    this.#options = options
  }

  /** The workers for calls of these terms. */
  of(terms: WorkerTerms | undefined): CallServer {
    const key = terms === undefined ? "" : createHash("sha256").update(encodeFrame([terms])).digest("hex")
    let entry = this.#entries.get(key)
    // One whose workers could not start is tried anew: what its calls failed of may be over.
    if (entry?.server.isOpen() !== true) this.#entries.set(key, entry = this.#open(key, terms))
    entry.usedAt = performance.now()
    return entry.server
  }

  #open(key: string, terms: WorkerTerms | undefined): Entry {
    const now = performance.now()
    for (const [other, { server, usedAt }] of this.#entries) {
      if (other !== key && now - usedAt < UNUSED) continue
      this.#entries.delete(other)
      // What it still runs goes on.
      void server.shutdown()
    }
    const { backend, env, reply, slots } = this.#options
    const options = { maxWorkers: slots, idleTimeout: IDLE, env, ...optionsOf(terms, undefined) }
    return { server: serveCalls(backend, options, reply), usedAt: now }
  }

  async shutdown(options?: Parameters<CallServer["shutdown"]>[0]): Promise<void> {
    await Promise.all(Array.from(this.#entries.values(), ({ server }) => server.shutdown(options)))
  }
}
