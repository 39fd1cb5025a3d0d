/**
 * Calls of named clients, which this engine pulls from the broker for its free slots and runs by itself: nobody has to wait for them.
 *
 * ```
 * pulled ──▶ running ──▶ outcome written ──▶ acknowledged
 * pulled ──▶ outcome written                 it was started as often as it may be: those engines have died
 * ```
 *
 * The outcome is written before the call is taken out of the queue: one whose engine dies in between runs twice, and the first outcome stands.
 */
import { PoisonTaskError, WorkerLostError } from "@futures/core"
import { encodeError, frames, serveCalls } from "@futures/core/Backend"
import type { Backend, CallServer } from "@futures/core/Backend"
import { jetstream, JetStreamApiError } from "@nats-io/jetstream"
import type { Consumer, JetStreamClient, JsMsg } from "@nats-io/jetstream"
import { hostname } from "node:os"
import { setTimeout as sleep } from "node:timers/promises"
import type { Bus } from "../wire/Bus.ts"
import { ACK_WAIT, decode, encode, HEADERS, streamName, subjectOf } from "../wire/streams.ts"
import type { StoredCall, StoredOutcome } from "../wire/streams.ts"

const { Kind, Status } = frames

/** How long a pull waits at the broker, in milliseconds. */
const PULL = 2_000
/** How often a pool that nobody has used yet is looked for, in milliseconds. */
const LOOK = 500
/** `wrong last sequence`: there is an outcome already. */
const STANDS = 10071
/** A pause before the broker is tried again, in milliseconds. */
const AGAIN = 100

interface Held {
  readonly message: JsMsg
  readonly call: StoredCall
  readonly startedAt: number
}

export interface KeptCallsOptions {
  readonly bus: Bus
  readonly engine: string
  readonly pools: ReadonlyArray<string>
  readonly slots: number
  /** Slots that nobody has. */
  readonly free: () => number
  readonly backend: Backend
  readonly env: Readonly<Record<string, string>>
}

export class KeptCalls {
  readonly #options: KeptCallsOptions
  readonly #jetstream: JetStreamClient
  readonly #server: CallServer
  readonly #held = new Map<number, Held>()
  readonly #working: NodeJS.Timeout
  /** What waits at the broker for calls. */
  readonly #pulls = new Set<Awaited<ReturnType<Consumer["fetch"]>>>()
  /** Pools whose calls wait for a slot, each since when. */
  readonly #waiting = new Map<string, number>()
  /** Told when a call in hand is done. */
  readonly #done = new Set<() => void>()
  #numbers = 0
  #open = true

  constructor(options: KeptCallsOptions) {
    const { backend, bus, env, slots } = options
    this.#options = options
    this.#jetstream = jetstream(bus.nats)
    this.#server = serveCalls(
      backend,
      { maxWorkers: slots, idleTimeout: 1_000, env },
      (kind, ...body) => this.#reply(kind, body)
    )
    this.#working = setInterval(() => this.#work(), ACK_WAIT / 4)
  }

  /** Begins to pull. */
  start(): void {
    for (const pool of this.#options.pools) void this.#pull(pool)
  }

  /** Calls in hand. */
  get size(): number {
    return this.#held.size
  }

  /** Since when calls wait for a slot here; `undefined` when none do. */
  get waitingSince(): number | undefined {
    return this.#waiting.size === 0 ? undefined : Math.min(...this.#waiting.values())
  }

  /** What the calls in hand are acknowledged by, so that others may hand them on when this engine dies. */
  get receipts(): ReadonlyArray<string> {
    return Array.from(this.#held.values(), ({ message }) => receiptOf(message))
  }

  /** Asks a call to stop, if it is here. */
  interrupt(client: string, id: number, grace: number | undefined): boolean {
    for (const [number, { call }] of this.#held) {
      if (call.client !== client || call.id !== id) continue
      this.#server.receive([Kind.Interrupt, 0, 0, number, grace])
      return true
    }
    return false
  }

  /** Pulls nothing more; resolves when what is in hand is done. */
  async drain(): Promise<void> {
    this.#open = false
    for (const pull of this.#pulls) pull.stop()
    // What has come is run.
    while (this.#pulls.size > 0) await sleep(1)
    await this.#server.shutdown()
    while (this.#held.size > 0) await sleep(5)
    clearInterval(this.#working)
  }

  /** Gives what is in hand back to the queue, and ends its workers. */
  async end(): Promise<void> {
    for (const { message } of this.#held.values()) message.nak()
    this.#held.clear()
    await this.#server.shutdown({ cancelPending: true, timeout: 0 })
  }

  async #pull(pool: string): Promise<void> {
    const { bus, free } = this.#options
    let consumer: Consumer | undefined
    while (this.#open) {
      const room = free()
      if (bus.since === undefined) {
        await sleep(AGAIN)
        continue
      }
      try {
        consumer ??= await this.#jetstream.consumers.get(streamName(bus, "CALLS"), pool)
        if (room <= 0) {
          await this.#wait(pool, consumer)
          continue
        }
        this.#waiting.delete(pool)
        if (this.#open) await this.#fetch(consumer, room)
      } catch {
        // No such pool yet, or the broker is away.
        consumer = undefined
        await sleep(LOOK)
      }
    }
  }

  async #fetch(consumer: Consumer, count: number): Promise<void> {
    const pull = await consumer.fetch({ max_messages: count, expires: PULL })
    this.#pulls.add(pull)
    if (!this.#open) pull.stop()
    try {
      for await (const message of pull) this.#take(message)
    } finally {
      this.#pulls.delete(pull)
    }
  }

  /** There is no slot: says so while calls wait, until there is one or it is time to look again. */
  async #wait(pool: string, consumer: Consumer): Promise<void> {
    if ((await consumer.info()).num_pending === 0) this.#waiting.delete(pool)
    else if (!this.#waiting.has(pool)) this.#waiting.set(pool, performance.now())
    const until = performance.now() + LOOK
    while (this.#open && performance.now() < until && this.#options.free() <= 0) await this.#doneOr(AGAIN)
  }

  /** Resolves when a call in hand is done, or after so many milliseconds: slots that others have become free as well. */
  #doneOr(millis: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#done.delete(end)
        resolve()
      }
      const timer = setTimeout(end, millis)
      this.#done.add(end)
    })
  }

  #take(message: JsMsg): void {
    let call: StoredCall
    try {
      call = decode(message.data)
    } catch {
      return message.term("not a call")
    }
    const number = ++this.#numbers
    this.#held.set(number, { message, call, startedAt: Date.now() })
    const { deliveryCount } = message.info
    if (deliveryCount > call.starts) return void this.#finish(number, Status.Refused, this.#why(call, deliveryCount), 0)
    const { args, id, meta, module, name } = call
    const frame = [Kind.Calls, 0, 0]
    frames.addCall(frame, number, id, [0, module, name], args, 0, meta as frames.CallMeta)
    this.#server.receive(frame)
  }

  /** Why a call that was started too often is not started again. */
  #why({ starts }: StoredCall, deliveries: number): unknown {
    const lost = new WorkerLostError({ workerId: this.#options.engine, reason: "machine" })
    const error = starts === 1 ? lost : new PoisonTaskError({ attempts: deliveries - 1, cause: lost })
    return encodeError(error, { sharesMemory: false })
  }

  #reply(kind: number, body: ReadonlyArray<unknown>): void {
    if (kind !== Kind.Outcomes) return
    const [number, status, value, ran] = body as [number, number, unknown, number]
    // It was given back to the queue.
    if (!this.#held.has(number)) return
    void this.#finish(number, status, value, ran)
  }

  async #finish(number: number, status: number, value: unknown, ran: number): Promise<void> {
    const { call, message, startedAt } = this.#held.get(number)!
    const { bus, engine } = this.#options
    const times = { startedAt, finishedAt: Date.now() }
    const outcome: StoredOutcome = { ...call, status, value, ran, engine, host: hostname(), ...times }
    const subject = subjectOf(bus, `res.${call.client}.${call.id}`)
    const bytes = this.#fitting(outcome)
    for (;;) {
      try {
        await this.#jetstream.publish(subject, bytes, { expect: { lastSubjectSequence: 0 } })
        break
      } catch (error) {
        if (error instanceof JetStreamApiError && error.code === STANDS) break
        if (bus.nats.isClosed()) break
        await sleep(AGAIN)
      }
    }
    message.ack()
    this.#held.delete(number)
    for (const told of this.#done) told()
  }

  /** The arguments are kept beside the result if there is room; a result that is longer than the broker takes is told of instead. */
  #fitting(outcome: StoredOutcome): Uint8Array {
    const longest = this.#options.bus.maxPayload - HEADERS
    const whole = encode(outcome)
    if (whole.length <= longest) return whole
    const bare = { ...outcome, args: undefined }
    const bytes = encode(bare)
    if (bytes.length <= longest) return bytes
    const error = new RangeError(`A result of ${bytes.length} bytes is longer than the broker keeps (${longest})`)
    return encode({ ...bare, status: Status.Threw, value: encodeError(error, { sharesMemory: false }) })
  }

  #work(): void {
    for (const { message } of this.#held.values()) message.working()
  }
}

/** The subject by which a message is acknowledged. */
const receiptOf = (message: JsMsg): string => (message as unknown as { readonly reply: string }).reply
