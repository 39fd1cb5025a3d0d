/**
 * One worker on some engine, seen from the client: first a wish, then a lease, then a channel.
 *
 * ```
 * unheard ──▶ wanted ──▶ taken ──▶ placed ──▶ gone
 *                ▲─────────┘          the engine that offered a slot has none any more
 * ```
 *
 * Unheard: there is no connection yet.
 */
import { encodeParts, FrameReader, monotonic } from "@futures/core/Backend"
import type { Frame, Link, LinkEvents, LinkExit, RemotePlace } from "@futures/core/Backend"
import { parse } from "../wire/Bus.ts"
import { Channel, isGone, Kind } from "../wire/Channel.ts"
import type { ExitMessage, OfferMessage, PlacedMessage } from "../wire/messages.ts"
import type { Wishes } from "./Client.ts"

/** What a place needs of the client that it belongs to. */
export interface PlaceHost {
  readonly maxPayload: number
  readonly publish: (subject: string, head: Uint8Array, rest?: Uint8Array) => void
  /** It has a place, or needs none any more. */
  readonly unwanted: (place: Place) => void
  readonly take: (place: Place) => void
  /** An engine keeps something for a place that is gone. */
  readonly refuse: (engine: string, lease: string) => void
  readonly forget: (place: Place) => void
}

/** A look at what a worker has started is asked for again after so many milliseconds. */
const LOOK_AGAIN = 50

export class Place implements Link {
  lease = ""
  readonly wishes: Wishes
  /** How long the worker may be idle while the broker is away; `Infinity`: as long as that takes. */
  readonly idleTimeoutMs: number
  state: "unheard" | "wanted" | "taken" | "placed" | "gone" = "unheard"
  engine: string | undefined
  readonly remote: RemotePlace
  started: (() => number) | undefined
  #host = ""
  #pid = 0
  #channel: Channel | undefined
  #owner: PlaceHost | undefined
  readonly #events: LinkEvents
  readonly #reader: FrameReader
  readonly #placed = Promise.withResolvers<void>()
  #error: unknown
  /** What the worker has started, and when that was read, by the engine's clock. */
  #marked = 0
  #markedAt = 0
  /** The engine's clock less ours. */
  #offset = 0
  #lookedAt = -Infinity

  constructor(wishes: Wishes, idleTimeoutMs: number, events: LinkEvents) {
    this.wishes = wishes
    this.idleTimeoutMs = idleTimeoutMs
    this.#events = events
    this.#reader = new FrameReader((frame) => events.frame(frame as Frame), (error) => this.#fail(error))
    const where = { host: () => this.#host, engine: () => this.engine ?? "" }
    this.remote = {
      placed: this.#placed.promise,
      get host() {
        return where.host()
      },
      get engine() {
        return where.engine()
      },
      now: () => monotonic() + this.#offset,
      seen: () => this.#seen()
    }
  }

  get workerId(): string {
    return this.engine === undefined ? "unplaced" : `${this.engine}/${this.#pid}`
  }

  // ---- the engine's side of the seam

  send(frame: Frame): boolean {
    if (this.state !== "placed") return false
    for (const part of encodeParts(frame)) this.#channel!.send(Kind.Bytes, part)
    return true
  }

  arriving(): number {
    return this.#reader.arriving
  }

  kill(): void {
    if (this.state === "placed") return this.#channel!.send(Kind.Kill)
    if (this.state === "gone") return
    if (this.engine !== undefined) this.#owner!.refuse(this.engine, this.lease)
    this.end({})
  }

  #seen(): number {
    const now = performance.now()
    if (this.state === "placed" && now - this.#lookedAt > LOOK_AGAIN) {
      this.#lookedAt = now
      this.#channel!.whisper(Kind.Look)
    }
    return this.#markedAt
  }

  #fail(error: Error): void {
    this.#error ??= error
    this.kill()
  }

  // ---- what the client hears

  /** There is a connection: from now on it is wanted. Answers `false` when it is not wanted any more. */
  opened(lease: string, owner: PlaceHost): boolean {
    if (this.state !== "unheard") return false
    this.lease = lease
    this.#owner = owner
    this.state = "wanted"
    return true
  }

  offered({ engine, host }: OfferMessage): boolean {
    if (this.state !== "wanted") return false
    this.state = "taken"
    this.engine = engine
    this.#host = host
    this.#owner!.take(this)
    return true
  }

  placed({ engine, marks, now, pid }: PlacedMessage): void {
    const owner = this.#owner
    if (this.state !== "taken" || engine !== this.engine || owner === undefined) return
    this.state = "placed"
    this.#pid = pid
    this.#offset = now - monotonic()
    // Nothing had been started yet.
    this.#markedAt = now
    if (marks && this.wishes.windows) this.started = () => this.#marked
    const subject = `eng.${engine}.d.${this.lease}`
    this.#channel = new Channel(
      owner.maxPayload,
      (head, rest) => owner.publish(subject, head, rest),
      (kind, payload) => this.#receive(kind, payload)
    )
    owner.unwanted(this)
    this.#placed.resolve()
  }

  data(message: Uint8Array): void {
    if (!isGone(message)) return this.#channel?.receive(message)
    // The engine knows nothing of it: it was too late, or it forgot us while we were away.
    if (this.state === "taken") this.again()
    else if (this.state === "placed") this.lost(`Engine ${this.engine} does not know of its worker any more`)
  }

  /** The engine that offered a slot does not answer, or has none. */
  again(): void {
    if (this.state !== "taken") return
    this.state = "wanted"
    this.engine = undefined
  }

  /** The engine is gone. */
  lost(why: string): void {
    if (this.state === "taken") return this.again()
    if (this.state !== "placed") return
    // What its worker had started since it was last looked at, nobody knows.
    this.started = undefined
    this.end({ error: new Error(why), redeliver: this.wishes.redeliver })
  }

  resync(): void {
    this.#channel?.resync()
  }

  tick(): void {
    this.#channel?.tick()
  }

  #receive(kind: number, payload: Uint8Array): void {
    switch (kind) {
      case Kind.Bytes:
        return this.#reader.push(payload)
      case Kind.Recall:
        return this.#events.recall()
      case Kind.Looked: {
        const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
        this.#marked = Math.max(this.#marked, view.getFloat64(0))
        this.#markedAt = Math.max(this.#markedAt, view.getFloat64(8))
        this.#offset = this.#markedAt - monotonic()
        this.#lookedAt = -Infinity
        return
      }
      case Kind.Exit: {
        const { ended, error, exitCode, signal, started } = parse<ExitMessage>(payload) ?? {}
        if (started !== undefined) this.#marked = started
        const told = error === undefined ? this.#error : new Error(error)
        // The call is not to blame, however often that happens.
        const redeliver = this.wishes.redeliver === 0 ? 0 : Infinity
        return this.end(
          ended === true
            ? { error: new Error(`Engine ${this.engine} ended its worker`), redeliver }
            : { exitCode, signal, error: this.#error ?? told }
        )
      }
    }
  }

  end(exit: LinkExit): void {
    if (this.state === "gone") return
    const wasPlaced = this.state === "placed"
    this.state = "gone"
    this.#channel?.close()
    this.#owner?.unwanted(this)
    this.#owner?.forget(this)
    if (wasPlaced) this.#events.exit(exit)
    // Not while the lane is still being opened.
    else queueMicrotask(() => this.#events.exit(exit))
  }
}
