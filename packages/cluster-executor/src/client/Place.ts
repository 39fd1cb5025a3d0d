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
import { encodeParts, FrameReader, frames, timers } from "@futures/core/Backend"
import type { Frame, Link, LinkEvents, LinkExit, RemotePlace, SentCalls } from "@futures/core/Backend"
import { parse } from "../wire/Bus.ts"
import { Channel, isGone, Kind } from "../wire/Channel.ts"
import type { ExitMessage, OfferMessage, PlacedMessage } from "../wire/messages.ts"
import { numbersIn, numbersOf, parcelOf } from "../wire/parcel.ts"
import type { Wishes } from "./Client.ts"
import { RoundTrip } from "./RoundTrip.ts"

const { performance, queueMicrotask } = timers

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

/** The link is measured again this often (ms) while calls are sent. */
const LOOK_AGAIN_MS = 100
/** Expected work (ms) that an engine holds for a worker, whatever the link. */
const LEAST_WINDOW_MS = 2
/** Round trips of expected work that an engine holds for a worker: one that is under way, and one more in case calls are quicker than expected. */
const WINDOW_TRIPS = 2
/** Beyond what is expected, calls that were sent ahead wait this long for their start (ms), or a round trip if that is longer. */
const LEAST_PATIENCE_MS = 25
/** Calls that an engine holds for a worker, at most. */
const MOST_CALLS = 4096
/** Bytes of calls that an engine holds for a worker, at most, by the length of an average call. */
const MOST_BYTES = 8 * 2 ** 20
/** A frame up to this length (bytes) goes in one message with its header. */
const SHORT = 8 * 2 ** 10

export class Place implements Link {
  lease = ""
  /** The engine's name for the offer that it took last. */
  offer = ""
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
  /** What the worker has started, as far as that was heard. */
  #marked = 0
  readonly #roundTrip = new RoundTrip()
  #window = LEAST_WINDOW_MS
  #lookedAt = -Infinity
  /** Average length of a call (bytes). */
  #callBytes = 0

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
      window: () => this.#window,
      mostCalls: () => Math.max(1, Math.min(MOST_CALLS, MOST_BYTES / this.#callBytes)),
      giveBack: (wireId = 0) => this.#channel?.send(Kind.GiveBack, numbersOf(wireId))
    }
  }

  get workerId(): string {
    return this.engine === undefined ? "unplaced" : `${this.engine}/${this.#pid}`
  }

  // ---- the engine's side of the seam

  send(frame: Frame, _: ReadonlyArray<ArrayBuffer>, calls?: SentCalls): boolean {
    if (this.state !== "placed") return false
    const parts = encodeParts(frame)
    if (calls !== undefined && this.started !== undefined) this.#sendCalls(calls, parts)
    else for (const part of parts) this.#channel!.send(Kind.Bytes, part)
    return true
  }

  requestStop(wireId: number): void {
    this.#channel?.send(Kind.RequestStop, numbersOf(wireId))
  }

  arriving(): number {
    return this.#reader.arriving
  }

  #sendCalls({ expectedMs, first, isAhead, last }: SentCalls, parts: ReadonlyArray<Uint8Array>): void {
    const channel = this.#channel!
    let byteLength = 0
    for (const part of parts) byteLength += part.length
    const patienceMs = Math.max(LEAST_PATIENCE_MS, this.#roundTrip.ms)
    const header = { first, last, isAhead, expectedMs, patienceMs, byteLength }
    // Wire ids of neighbours differ by one turn.
    const count = frames.callsBetween(first, last)
    this.#callBytes += (byteLength / count - this.#callBytes) / 8
    const isShort = byteLength <= SHORT
    channel.send(Kind.Parcel, parcelOf(header, isShort ? parts[0]! : empty))
    if (!isShort) { for (const part of parts) channel.send(Kind.Bytes, part) }
    this.#look()
  }

  /** Asks what the worker has started: the answer measures the link. */
  #look(): void {
    const now = performance.now()
    if (now - this.#lookedAt < LOOK_AGAIN_MS) return
    this.#ask()
  }

  #ask(): void {
    this.#lookedAt = performance.now()
    this.#channel!.whisper(Kind.Look, numbersOf(this.#lookedAt))
  }

  #measured(millis: number): void {
    this.#roundTrip.learn(millis)
    this.#window = Math.max(LEAST_WINDOW_MS, WINDOW_TRIPS * this.#roundTrip.ms + 1)
  }

  kill(): void {
    if (this.state === "placed") return this.#channel!.send(Kind.Kill)
    if (this.state === "gone") return
    if (this.engine !== undefined) this.#owner!.refuse(this.engine, this.lease)
    this.end({})
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

  offered({ engine, host, offer }: OfferMessage): boolean {
    if (this.state !== "wanted") return false
    this.state = "taken"
    this.offer = offer
    this.engine = engine
    this.#host = host
    this.#owner!.take(this)
    return true
  }

  placed({ engine, marks, pid }: PlacedMessage): void {
    const owner = this.#owner
    if (this.state !== "taken" || engine !== this.engine || owner === undefined) return
    this.state = "placed"
    this.#pid = pid
    if (marks && this.wishes.windows) this.started = () => this.#marked
    const subject = `eng.${engine}.d.${this.lease}`
    this.#channel = new Channel(
      owner.maxPayload,
      (head, rest) => owner.publish(subject, head, rest),
      (kind, payload) => this.#receive(kind, payload)
    )
    owner.unwanted(this)
    this.#look()
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
        const [mark = 0, askedAt] = numbersIn(payload)
        if (mark > this.#marked) {
          this.#marked = mark
          this.#events.marked?.()
        }
        if (askedAt === undefined) return
        this.#measured(performance.now() - askedAt)
        return this.#roundTrip.isKnown ? undefined : this.#ask()
      }
      case Kind.Returned: {
        const [from = 0, to = 0, isLate] = numbersIn(payload)
        return this.#events.returned?.(from, to, isLate === 1)
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

const empty = new Uint8Array(0)
