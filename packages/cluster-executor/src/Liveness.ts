/**
 * Decides which peers are alive, on a clock that a standstill of the observer does not advance.
 *
 * ```
 * alive ──▶ quiet ──▶ silent        nothing was heard for quietMs, for silentMs
 *             └────▶ ended          the broker says twice, nobodyMs apart, that nothing listens under its name
 * ```
 *
 * Between two looks the clock advances by `stepMs` at most. So a process that computed, or was stopped, never counts that time
 * against its peers: what they sent meanwhile is read before the clock gets far enough.
 */
import { timers } from "@futures/core/Backend"
import type { Bus } from "./wire/Bus.ts"

const { clearInterval, performance, setImmediate, setInterval } = timers

/** All in milliseconds of the observer's clock. */
export interface LivenessLimits {
  /** After this silence a peer is asked whether it is there. */
  readonly quietMs: number
  /** For this long nothing listens under its name: it has ended. A peer that reconnects is back by then. */
  readonly nobodyMs: number
  /** After this silence it counts as gone, although it may be connected. */
  readonly silentMs: number
  /** After a standstill, or after the connection was away, peers need this time to reconnect as well. */
  readonly settleMs: number
  /** A look advances the clock by this much at most: about two intervals between looks. */
  readonly stepMs: number
}

export type ProbeAnswer = "answered" | "nobody" | "silence"

/** A look that comes this much later than the one before, in real milliseconds, follows a standstill. */
const STANDSTILL_MS = 2_000

interface Peer {
  /** From when its silence counts. */
  countsFrom: number
  /** When it was last heard of. */
  heardAt: number
  /** Whether its clock was restarted, and nothing was heard since. */
  restarted: boolean
  nobodySince: number | undefined
  probing: boolean
}

export class Liveness {
  readonly limits: LivenessLimits
  readonly #peers = new Map<string, Peer>()
  #now = 0
  /** The real time of the last look. */
  #lookedAt: number
  #settledAt = 0

  /** `realMs`: a monotonic clock, such as `performance.now()`. */
  constructor(limits: LivenessLimits, realMs: number) {
    this.limits = limits
    this.#lookedAt = realMs
    this.#settledAt = limits.settleMs
  }

  /** Something arrived from a peer. Adds it if it is new. */
  heard(id: string): void {
    const peer = this.#peers.get(id)
    const now = this.#now
    if (peer === undefined) {
      this.#peers.set(id, { countsFrom: now, heardAt: now, restarted: false, nobodySince: undefined, probing: false })
    } else {
      peer.countsFrom = peer.heardAt = now
      peer.restarted = false
      peer.nobodySince = undefined
    }
  }

  /** As `heard`, for peers that are known. */
  heardOfKnown(id: string): void {
    if (this.#peers.has(id)) this.heard(id)
  }

  forget(id: string): void {
    this.#peers.delete(id)
  }

  ids(): IterableIterator<string> {
    return this.#peers.keys()
  }

  /** Whether a peer has been silent for that long. */
  hasSilent(ms: number): boolean {
    for (const { countsFrom } of this.#peers.values()) if (this.#now - countsFrom > ms) return true
    return false
  }

  /** A look: advances the clock. To be called once everything that had arrived was read. */
  observe(realMs: number): void {
    const elapsed = realMs - this.#lookedAt
    this.#lookedAt = realMs
    this.#now += Math.min(elapsed, this.limits.stepMs)
    if (elapsed > STANDSTILL_MS) this.#restart(false)
  }

  /** The connection was away: all clocks restart. */
  restart(realMs: number): void {
    this.#lookedAt = realMs
    this.#restart(true)
  }

  /** Peers that have been silent for too long. */
  silent(): Array<string> {
    return this.#longerThan(this.limits.silentMs).map(([id]) => id)
  }

  /** Peers to be asked whether they are there; each is reported again after `probed`. */
  toProbe(): Array<string> {
    return this.#longerThan(this.limits.quietMs).filter(([, peer]) => !peer.probing && (peer.probing = true)).map((
      [id]
    ) => id)
  }

  /** The answer to a probe. Returns whether the peer has ended. */
  probed(id: string, answer: ProbeAnswer): boolean {
    const peer = this.#peers.get(id)
    if (peer === undefined) return false
    peer.probing = false
    if (answer !== "nobody") peer.nobodySince = undefined
    if (answer === "answered") this.heard(id)
    if (answer !== "nobody" || this.#now < this.#settledAt) return false
    peer.nobodySince ??= this.#now
    return this.#now - peer.nobodySince >= this.limits.nobodyMs
  }

  /** Gives a silent peer, which is known to be only stopped, more time. Returns `false` once it has had `mostMs` in all. */
  spare(id: string, mostMs: number): boolean {
    const peer = this.#peers.get(id)
    if (peer === undefined || this.#now - peer.heardAt > mostMs) return false
    peer.countsFrom = this.#now - this.limits.quietMs
    return true
  }

  #longerThan(ms: number): Array<[string, Peer]> {
    return [...this.#peers].filter(([, { countsFrom }]) => this.#now - countsFrom > ms)
  }

  /** A peer that was not heard of since the last restart keeps its clock: an observer that stands still often would never miss it. */
  #restart(all: boolean): void {
    this.#settledAt = this.#now + this.limits.settleMs
    for (const peer of this.#peers.values()) {
      peer.nobodySince = undefined
      if (peer.restarted && !all) continue
      peer.countsFrom = this.#now
      peer.restarted = true
    }
  }
}

/**
 * Looks every `everyMs` milliseconds, until the returned function is called. Before each look everything that had arrived is read: timers run
 * before sockets are read, `setImmediate` after. While a peer is silent for longer than `askMs` the clock advances only when the broker
 * answers a ping: a stopped broker gives no information about the peers behind it.
 */
export const observing = (
  bus: Bus,
  liveness: Liveness,
  { askMs, everyMs }: { readonly askMs: number; readonly everyMs: number },
  look: () => void
): () => void => {
  let lookingSince: number | undefined
  const lookNow = async (): Promise<void> => {
    const { since } = bus
    if (since === undefined || lookingSince === since) return
    lookingSince = since
    if (liveness.hasSilent(askMs)) await bus.flush()
    if (bus.since === since) {
      liveness.observe(performance.now())
      look()
    }
    if (lookingSince === since) lookingSince = undefined
  }
  const back = (): void => liveness.restart(performance.now())
  bus.back.add(back)
  const timer = setInterval(() => setImmediate(() => void lookNow()), everyMs)
  timer.unref()
  return () => {
    clearInterval(timer)
    bus.back.delete(back)
  }
}
