/**
 * The clients that have slots here: whether they live. What runs for one that has ended is ended too.
 *
 * One that is connected but silent is given a minute: a program that computes answers nobody meanwhile.
 */
import type { Bus } from "../wire/Bus.ts"

/** After so many milliseconds of silence it is asked whether it lives. */
const QUIET = 1_000
/** Nobody listens under its name for so long: it has ended. One that reconnects is back by then. */
const NOBODY = 500
const SILENT = 60_000
/** After the connection was away, clients need some time to be back as well. */
const SETTLE = 2_000

interface Entry {
  heardAt: number
  nobodySince: number | undefined
  probing: boolean
}

export class Clients {
  readonly #bus: Bus
  readonly #entries = new Map<string, Entry>()

  constructor(bus: Bus) {
    this.#bus = bus
  }

  heard(client: string): void {
    const entry = this.#entries.get(client)
    if (entry === undefined) {
      this.#entries.set(client, { heardAt: performance.now(), nobodySince: undefined, probing: false })
    } else {
      entry.heardAt = performance.now()
      entry.nobodySince = undefined
    }
  }

  /** The connection was away. */
  back(): void {
    for (const client of this.#entries.keys()) this.heard(client)
  }

  /** To be called every now and then, with those that have slots. Tells of each that has ended. */
  look(clients: ReadonlySet<string>, gone: (client: string) => void): void {
    const { since } = this.#bus
    const now = performance.now()
    if (since === undefined) return
    for (const [client, entry] of this.#entries) {
      if (!clients.has(client)) this.#entries.delete(client)
      else if (now - entry.heardAt > SILENT) gone(client)
      else if (now - entry.heardAt > QUIET && !entry.probing) void this.#probe(client, entry, since, gone)
    }
  }

  async #probe(client: string, entry: Entry, since: number, gone: (client: string) => void): Promise<void> {
    entry.probing = true
    const answer = await this.#bus.probe(`cl.${client}.ping`, QUIET)
    entry.probing = false
    const now = performance.now()
    if (this.#bus.since !== since) return
    if (answer === "answered") return this.heard(client)
    if (answer === "silence") return void (entry.nobodySince = undefined)
    if (now - since < SETTLE) return
    entry.nobodySince ??= now
    if (now - entry.nobodySince >= NOBODY) gone(client)
  }
}
