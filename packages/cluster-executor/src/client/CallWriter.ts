/**
 * Hands calls of a named client to the broker, in turn: so many at a time, and so many bytes.
 *
 * ```
 * waiting ──▶ on the way ──▶ written
 *    │            └──▶ refused             the queue is full
 *    └──▶ withdrawn                        no byte of it was sent
 * ```
 */
import { QueueFullError } from "@futures/core"
import { cannotBeSent, OversizedFrameError } from "@futures/core/Backend"
import { jetstream } from "@nats-io/jetstream"
import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream"
import { LONGEST, recordOf, removeArgs } from "../wire/pieces.ts"
import { FULL, put } from "../wire/put.ts"
import { callSubject, encode, MOST_CALLS, streamName } from "../wire/streams.ts"
import type { StoredCall } from "../wire/streams.ts"
import type { Client } from "./Client.ts"

/** Calls that may be on their way at a time. */
const WINDOW = 256
/** Bytes of theirs, but for one call that is longer by itself. */
const WINDOW_BYTES = 64 * 2 ** 20

interface Entry {
  readonly call: StoredCall
  /** With why the broker does not have it, if it was not given up. */
  readonly done: (refused: Error | undefined) => void
}

export class CallWriter {
  readonly #client: Client
  readonly #manager: JetStreamManager
  readonly #jetstream: JetStreamClient
  readonly #pool: string
  readonly #waiting = new Map<number, Entry>()
  #calls = 0
  #bytes = 0
  #ended = false

  constructor(client: Client, manager: JetStreamManager, pool: string) {
    this.#client = client
    this.#manager = manager
    this.#jetstream = jetstream(client.bus.nats)
    this.#pool = pool
    client.bus.back.add(this.#next)
  }

  /** Resolves when the broker has it or it was given up, or with why the broker does not have it. */
  write(call: StoredCall): Promise<Error | undefined> {
    return new Promise((done) => {
      this.#waiting.set(call.id, { call, done })
      this.#next()
    })
  }

  /** Takes a call out that nothing was sent of. Answers `false` when it is not here any more. */
  withdraw(id: number): boolean {
    const entry = this.#waiting.get(id)
    if (entry === undefined) return false
    this.#waiting.delete(id)
    entry.done(undefined)
    return true
  }

  /** Nothing more is sent. */
  end(): void {
    this.#ended = true
    this.#client.bus.back.delete(this.#next)
    for (const id of this.#waiting.keys()) this.withdraw(id)
  }

  /** Sends what there is room for; while the broker is away nothing leaves. */
  readonly #next = (): void => {
    for (const [id, { call, done }] of this.#waiting) {
      if (this.#client.bus.since === undefined || this.#calls >= WINDOW || this.#bytes >= WINDOW_BYTES) return
      this.#waiting.delete(id)
      this.#calls++
      void this.#hand(call, done)
    }
  }

  async #hand(call: StoredCall, done: Entry["done"]): Promise<void> {
    done(await this.#send(call))
    this.#calls--
    this.#next()
  }

  async #send(call: StoredCall): Promise<Error | undefined> {
    let bytes: Uint8Array
    try {
      bytes = encode(call)
      if (bytes.length > LONGEST) throw cannotBeSent(new OversizedFrameError(bytes.length, LONGEST), "args", "argument")
    } catch (error) {
      return error as Error
    }
    this.#bytes += bytes.length
    try {
      return await this.#publish(call, bytes)
    } finally {
      this.#bytes -= bytes.length
    }
  }

  /** How many calls the broker keeps: whoever made the stream has said. */
  async #most(): Promise<number> {
    try {
      return (await this.#manager.streams.info(streamName(this.#client.bus, "CALLS"))).config.max_msgs
    } catch {
      // The broker is away.
      return MOST_CALLS
    }
  }

  async #publish(call: StoredCall, bytes: Uint8Array): Promise<Error | undefined> {
    const { bus } = this.#client
    const isOver = () => this.#ended
    const record = await recordOf(bus, this.#jetstream, "args", call, bytes, { isOver })
    if (record === undefined) return undefined
    const { after, client, id } = call
    // The same message id each time: the broker takes it once.
    const options = { isOver, unless: FULL, msgID: `${client}.${id}.${after}` }
    const written = await put(this.#jetstream, callSubject(bus, this.#pool, client, id), record, options)
    if (written !== "refused") return undefined
    if (record !== bytes) await removeArgs(bus, this.#manager, call).catch(() => {})
    return new QueueFullError({ maxPending: await this.#most() })
  }
}
