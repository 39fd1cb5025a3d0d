/**
 * One end of a reliable, ordered stream of messages between a client and a worker, over a bus that may lose what it carries whenever it is away.
 *
 * ```
 * held ──▶ in flight ──▶ acknowledged        at most WINDOW bytes are in flight
 *             ▲───┘  sent again: the other end found a gap, the connection is back, or nothing was heard for long
 * ```
 *
 * ```
 * ┌──────────┬────────────────┬─────────────────────────┬─────────┐
 * │ kind, 1  │ number, 4, LE  │ expects, 4, LE          │ payload │
 * └──────────┴────────────────┴─────────────────────────┴─────────┘
 * ```
 *
 * `expects` is the number of the message that the sender expects next: everything before it has arrived.
 */
import { timers } from "@futures/core/Backend"

const { clearTimeout, performance, setTimeout } = timers
export const Kind = {
  /** Everything before `expects` has arrived. Without a number. */
  Ack: 1,
  /** The same; and what follows has not, or may not have: send it again. Without a number. */
  Resend: 2,
  /** Nobody here knows of this channel. Without a number. */
  Gone: 3,
  /** client to engine: which call did the worker start last? The client's time, which is sent back. Without a number. */
  Look: 4,
  /** engine to client: this one; and the client's time, if it was asked. Without a number. */
  Looked: 5,
  /** Bytes of frames. */
  Bytes: 16,
  /** client to engine: end the worker now. */
  Kill: 17,
  /** engine to client: the worker has ended; JSON of an `ExitMessage`. */
  Exit: 18,
  /** engine to client: the slot is wanted by others. */
  Recall: 19,
  /** client to engine: a frame of calls, behind a `ParcelHeader`. */
  Parcel: 20,
  /** client to engine: give back the parcel that holds this call; 0 for about half of all. */
  GiveBack: 21,
  /** engine to client: calls that will not be started: the first, the last, and whether they are late. */
  Returned: 22,
  /** client to engine: lets the worker see that this call is to stop. */
  RequestStop: 23
} as const

const HEADER = 9
const NUMBERED = 16
/** From so many bytes on a payload is sent from where it lies, and not copied behind its header. */
const LONG = 4 * 2 ** 10
/** Bytes in flight, at most: what the broker may have to hold for one worker. */
const WINDOW = 8 * 2 ** 20
/**
 * Bytes of a message, at most, whatever the broker would take. Others want their turn; and programs and broker read 64 KiB at a time: a message that does
 * not come in one piece is put together again, which costs more than four that do.
 */
const SEGMENT = 16 * 2 ** 10
/** Arrivals are acknowledged when so many have come, so many bytes, or after so many milliseconds. */
const ACK_COUNT = 64
const ACK_BYTES = 2 ** 20
const ACK_AFTER = 20
/** A gap is asked for again after so many milliseconds. */
const ASK_AGAIN = 200
/** Messages that are sent again when nothing was heard, at most. */
const NUDGE = 32

/** A message: its header and a short payload; or its header, and a long payload where it lies. */
interface Message {
  readonly head: Buffer
  readonly rest: Uint8Array | undefined
  readonly length: number
}

export class Channel {
  readonly #publish: (head: Uint8Array, rest?: Uint8Array) => void
  readonly #deliver: (kind: number, payload: Uint8Array) => void
  readonly #segment: number
  /** Messages that were not acknowledged, oldest first; the first `#flying` of them are in flight. */
  #outgoing: Array<Message> = []
  #flying = 0
  #bytes = 0
  /** The number of the first of them. */
  #first = 0
  #next = 0
  #expected = 0
  #owedCount = 0
  #owedBytes = 0
  #ackTimer: NodeJS.Timeout | undefined
  #askedAt = -Infinity
  /** `#first`, when `tick` last looked. */
  #seen = -1
  #closed = false

  /** `deliver` is called for each message of the other end, once and in order. It may keep the payload: a bus never uses its memory again. */
  constructor(
    maxPayload: number,
    publish: (head: Uint8Array, rest?: Uint8Array) => void,
    deliver: (kind: number, payload: Uint8Array) => void
  ) {
    this.#segment = Math.min(SEGMENT, maxPayload - HEADER)
    this.#publish = publish
    this.#deliver = deliver
  }

  /** Whether the other end has everything. */
  get isIdle(): boolean {
    return this.#outgoing.length === 0
  }

  /** A payload of `Bytes` may be longer than a message can be. It is kept until it has arrived, and does not change meanwhile. */
  send(kind: number, payload: Uint8Array = empty): void {
    for (let at = 0; at < payload.length || at === 0; at += this.#segment) {
      const part = payload.length <= this.#segment ? payload : payload.subarray(at, at + this.#segment)
      this.#outgoing.push(messageOf(kind, this.#next++, part))
    }
    this.#fly()
  }

  /** Sends a message outside of the order, which may be lost. */
  whisper(kind: number, payload: Uint8Array = empty): void {
    this.#emit(messageOf(kind, 0, payload))
  }

  /** Takes a message of the other end. Whispers of kinds that are not the channel's own are answered with. */
  receive(data: Uint8Array): void {
    if (this.#closed || data.length < HEADER) return
    const kind = data[0]!
    this.#acknowledged(readUint32(data, 5))
    if (kind === Kind.Resend) return this.#again(this.#flying)
    if (kind === Kind.Ack) return
    if (kind < NUMBERED) return this.#deliver(kind, data.subarray(HEADER))
    const number = readUint32(data, 1)
    if (number < this.#expected) return this.#owe(0)
    if (number > this.#expected) return this.#ask()
    this.#expected++
    this.#owe(data.length)
    this.#deliver(kind, data.subarray(HEADER))
  }

  /** The connection is back: both ends may have lost what was on its way. */
  resync(): void {
    if (this.#closed) return
    this.whisper(Kind.Resend)
    this.#again(this.#flying)
  }

  /** To be called every now and then: sends again what seems to be lost. */
  tick(): void {
    if (this.#flying > 0 && this.#first === this.#seen) this.#again(Math.min(this.#flying, NUDGE))
    this.#seen = this.#first
  }

  /** Nothing more is delivered or sent; what arrived is acknowledged. */
  close(): void {
    if (this.#closed) return
    if (this.#owedCount > 0) this.whisper(Kind.Ack)
    this.#closed = true
    clearTimeout(this.#ackTimer)
    this.#outgoing = []
    this.#flying = 0
  }

  #fly(): void {
    while (this.#flying < this.#outgoing.length && this.#bytes < WINDOW) {
      const message = this.#outgoing[this.#flying++]!
      this.#bytes += message.length
      this.#emit(message)
    }
  }

  #emit({ head, rest }: Message): void {
    head.writeUInt32LE(this.#expected, 5)
    this.#owedCount = this.#owedBytes = 0
    this.#publish(head, rest)
  }

  #again(count: number): void {
    for (let at = 0; at < count; at++) this.#emit(this.#outgoing[at]!)
  }

  #acknowledged(expects: number): void {
    const count = Math.min(expects - this.#first, this.#flying)
    if (count <= 0) return
    for (let at = 0; at < count; at++) this.#bytes -= this.#outgoing[at]!.length
    this.#outgoing = count === this.#outgoing.length ? [] : this.#outgoing.slice(count)
    this.#first += count
    this.#flying -= count
    this.#fly()
  }

  #owe(bytes: number): void {
    this.#owedBytes += bytes
    if (++this.#owedCount >= ACK_COUNT || this.#owedBytes >= ACK_BYTES) return this.whisper(Kind.Ack)
    if (this.#ackTimer !== undefined) return
    this.#ackTimer = setTimeout(() => {
      this.#ackTimer = undefined
      if (this.#owedCount > 0 && !this.#closed) this.whisper(Kind.Ack)
    }, ACK_AFTER)
    this.#ackTimer.unref()
  }

  #ask(): void {
    const now = performance.now()
    if (now - this.#askedAt < ASK_AGAIN) return
    this.#askedAt = now
    this.whisper(Kind.Resend)
  }
}

const empty = new Uint8Array(0)

const messageOf = (kind: number, number: number, payload: Uint8Array): Message => {
  const isLong = payload.length >= LONG
  const head = Buffer.allocUnsafe(isLong ? HEADER : HEADER + payload.length)
  head[0] = kind
  head.writeUInt32LE(number, 1)
  if (!isLong) head.set(payload, HEADER)
  return { head, rest: isLong ? payload : undefined, length: HEADER + payload.length }
}

const readUint32 = (data: Uint8Array, at: number): number =>
  (data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24)) >>> 0

/** What is sent back to one end of a channel that nobody knows here. */
export const gone = (): Uint8Array => {
  const message = new Uint8Array(HEADER)
  message[0] = Kind.Gone
  return message
}

/** Whether a message says that nobody knows of its channel. */
export const isGone = (data: Uint8Array): boolean => data[0] === Kind.Gone
