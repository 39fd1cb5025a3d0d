/**
 * Calls of named clients, which this engine pulls from the broker for its free slots and runs by itself: nobody has to wait for them.
 *
 * ```
 * pulled ──▶ running ──▶ outcome written ──▶ acknowledged
 *    │  └──▶ its pieces are read ──▶ running | outcome written    it is long; a piece is missing or another
 *    └──▶ outcome written                    it was started as often as it may be, or is to be stopped
 * pulled | running ──▶ given back            this engine ends
 * ```
 *
 * The outcome is written before the call is taken out of the queue: one whose engine dies in between runs twice, and the first outcome stands.
 */
import { NotPortableError, PoisonTaskError, WorkerLostError } from "@futures/core"
import { encodeError, frames, timers } from "@futures/core/Backend"
import type { Backend, CallServer } from "@futures/core/Backend"
import { jetstream, jetstreamManager } from "@nats-io/jetstream"
import type { Consumer, JetStreamClient, JetStreamManager, JsMsg } from "@nats-io/jetstream"
import { hostname } from "node:os"
import { setTimeout as sleep } from "node:timers/promises"
import type { Bus } from "../wire/Bus.ts"
import type { InterruptMessage } from "../wire/messages.ts"
import { readPieces, removeArgs } from "../wire/pieces.ts"
import { AGAIN } from "../wire/put.ts"
import { ACK_WAIT, decode, isHead, isPoolOf, labelOf, listPools, streamName, unpacked } from "../wire/streams.ts"
import type { Head, StoredCall } from "../wire/streams.ts"
import { CallServers } from "./CallServers.ts"
import { tellOutput, tellProgress } from "./tell.ts"
import { writeOutcome } from "./writeOutcome.ts"

const { clearInterval, clearTimeout, performance, setInterval, setTimeout, wallClock } = timers

const { Kind, Status } = frames

/** How long a pull waits at the broker, in milliseconds. */
const PULL = 2_000
/** How often pools that nobody has used before are looked for, in milliseconds. */
const LOOK = 500
/** So long, in milliseconds, an engine remembers what it was told to stop and does not have: it may be on its way. */
const ON_ITS_WAY = 10_000

interface Held {
  readonly message: JsMsg
  /** What came in its place, if it is long. */
  readonly head: Head | undefined
  /** The head until the pieces are read. */
  call: StoredCall | Head
  readonly startedAt: number
  /** Whose workers it runs on, once it is begun. */
  server: CallServer | undefined
  /** Whether it was told to stop. */
  stopped: boolean
}

export interface KeptCallsOptions {
  readonly bus: Bus
  readonly engine: string
  readonly labels: Readonly<Record<string, string>>
  readonly slots: number
  /** Slots that nobody has. */
  readonly free: () => number
  /** Called when a call was taken from the queue: others are to know of its receipt before it can end this engine. */
  readonly taken: () => void
  readonly backend: Backend
  readonly env: Readonly<Record<string, string>>
}

export class KeptCalls {
  readonly #options: KeptCallsOptions
  readonly #jetstream: JetStreamClient
  readonly #servers: CallServers
  readonly #held = new Map<number, Held>()
  readonly #working: NodeJS.Timeout
  /** What waits at the broker for calls. */
  readonly #pulls = new Set<Awaited<ReturnType<Consumer["fetch"]>>>()
  #manager: Promise<JetStreamManager> | undefined
  /** Calls that are to be stopped and are not here, each since when. */
  readonly #unwanted = new Map<string, number>()
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
    this.#servers = new CallServers({ backend, env, slots, reply: (kind, ...body) => this.#reply(kind, body) })
    this.#working = setInterval(() => this.#work(), ACK_WAIT / 4)
  }

  /** Begins to pull. */
  start(): void {
    void this.#follow()
  }

  /** Pulls from each pool of this engine's, as clients make them. */
  async #follow(): Promise<void> {
    const { bus, engine, labels } = this.#options
    const known = new Set<string>()
    while (this.#open) {
      // There is no such stream yet, or the broker is away.
      for (const pool of await this.#streams().then((manager) => listPools(manager, bus)).catch(() => [])) {
        if (known.has(pool) || !isPoolOf(pool, engine, labels)) continue
        known.add(pool)
        void this.#pull(pool)
      }
      await sleep(LOOK)
    }
  }

  /** Calls in hand. */
  get size(): number {
    return this.#held.size
  }

  /** Calls that were ever in hand. */
  get started(): number {
    return this.#numbers
  }

  /** Since when calls wait for a slot here; `undefined` when none do. */
  get waitingSince(): number | undefined {
    return this.#waiting.size === 0 ? undefined : Math.min(...this.#waiting.values())
  }

  /** What the calls in hand are acknowledged by, so that others may hand them on when this engine dies. */
  get receipts(): ReadonlyArray<string> {
    return Array.from(this.#held.values(), ({ message }) => receiptOf(message))
  }

  /** Asks a call to stop. Answers whether it is here; one that is not is not started later. */
  interrupt({ client, grace, id, reason }: InterruptMessage): boolean {
    for (const [number, held] of this.#held) {
      if (held.call.client !== client || held.call.id !== id) continue
      held.stopped = true
      held.server?.receive([Kind.Interrupt, 0, 0, number, grace, reasonIn(reason)])
      return true
    }
    this.#unwanted.set(`${client}.${id}`, performance.now())
    return false
  }

  /** Pulls nothing more; resolves when what is in hand is done. */
  async drain(): Promise<void> {
    this.#open = false
    for (const pull of this.#pulls) pull.stop()
    // What has come is run.
    while (this.#pulls.size > 0 || this.#isReading) await sleep(1)
    await this.#servers.shutdown()
    while (this.#held.size > 0) await this.#doneOr(AGAIN)
    clearInterval(this.#working)
  }

  get #isReading(): boolean {
    for (const { call } of this.#held.values()) if (isHead(call)) return true
    return false
  }

  /** Gives what is in hand back to the queue, and ends its workers. */
  async end(): Promise<void> {
    for (const { message } of this.#held.values()) message.nak()
    this.#held.clear()
    await this.#servers.shutdown({ cancelPending: true, timeout: 0 })
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
        // It waits until a pull has brought something, or nothing is there.
        if (this.#open && await this.#fetch(consumer, room) === 0) this.#waiting.delete(pool)
        else if (this.#waiting.has(pool)) this.#waiting.set(pool, performance.now())
      } catch {
        // No such pool any more, or the broker is away.
        consumer = undefined
        await sleep(LOOK)
      }
    }
  }

  /** Returns how many calls came. */
  async #fetch(consumer: Consumer, count: number): Promise<number> {
    const pull = await consumer.fetch({ max_messages: count, expires: PULL })
    this.#pulls.add(pull)
    if (!this.#open) pull.stop()
    let came = 0
    try {
      for await (const message of pull) {
        came++
        this.#take(message)
      }
      return came
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
    let call: StoredCall | Head
    try {
      call = decode<StoredCall>(message.data)
    } catch {
      return message.term("not a call")
    }
    const number = ++this.#numbers
    const { deliveryCount } = message.info
    const head = isHead(call) ? call : undefined
    const held: Held = {
      message,
      head,
      call,
      startedAt: wallClock(),
      server: undefined,
      stopped: this.#isUnwanted(call)
    }
    this.#held.set(number, held)
    this.#options.taken()
    if (deliveryCount > call.starts) return void this.#finish(number, Status.Refused, this.#why(call, deliveryCount), 0)
    if (isHead(call)) void this.#read(number, held, call)
    else this.#begin(number, held, call)
  }

  #isUnwanted({ client, id }: StoredCall | Head): boolean {
    const longAgo = performance.now() - ON_ITS_WAY
    for (const [call, since] of this.#unwanted) if (since < longAgo) this.#unwanted.delete(call)
    return this.#unwanted.has(`${client}.${id}`)
  }

  /** Reads the pieces of a call. */
  async #read(number: number, held: Held, head: Head): Promise<void> {
    const { bus } = this.#options
    while (this.#held.has(number) && !bus.nats.isClosed()) {
      try {
        const call = decode<StoredCall>(await readPieces(bus, await this.#streams(), "args", head)) as StoredCall
        // It may have been given back to the queue.
        if (!this.#held.has(number)) return
        held.call = call
        return this.#begin(number, held, call)
      } catch (error) {
        if (error instanceof NotPortableError && this.#held.has(number)) {
          return void this.#finish(number, Status.Refused, encodeError(error, { sharesMemory: false }), 0)
        }
        // The broker is away.
        await sleep(AGAIN)
      }
    }
  }

  #streams(): Promise<JetStreamManager> {
    return this.#manager ??= jetstreamManager(this.#options.bus.nats, { checkAPI: false })
  }

  #begin(number: number, held: Held, { args, id, meta, module, name, terms }: StoredCall): void {
    if (held.stopped) return void this.#finish(number, Status.Interrupted, undefined, 0)
    const frame = [Kind.Calls, 0, 0]
    const losses = held.message.info.deliveryCount - 1
    const sent = meta as frames.CallMeta
    frames.addCall(frame, number, id, [0, module, name], args, 0, losses === 0 ? sent : { ...sent, losses })
    held.server = this.#servers.of(terms)
    held.server.receive(frame)
  }

  /** Why a call that was started too often is not started again. */
  #why(call: StoredCall | Head, deliveries: number): unknown {
    const task = labelOf(call)
    const lost = new WorkerLostError({ workerId: this.#options.engine, reason: "machine", task })
    const error = call.starts === 1 ? lost : new PoisonTaskError({ attempts: deliveries - 1, cause: lost, task })
    return encodeError(error, { sharesMemory: false })
  }

  #reply(kind: number, body: ReadonlyArray<unknown>): void {
    const [number, ...rest] = body as [number, ...ReadonlyArray<unknown>]
    const held = this.#held.get(number)
    // It was given back to the queue.
    if (held === undefined) return
    const { bus } = this.#options
    if (kind === Kind.Progress) tellProgress(bus, held.call, rest[0])
    if (kind === Kind.Output) tellOutput(bus, held.call, ...rest as [1 | 2, Uint8Array | string])
    if (kind === Kind.Outcomes) void this.#finish(number, ...rest as [number, unknown, number])
  }

  async #finish(number: number, status: number, value: unknown, ran: number): Promise<void> {
    const { call, head, message, startedAt } = this.#held.get(number)!
    const { engine } = this.#options
    const { after, client, id, module, name, starts } = call
    const { args, meta, terms } = isHead(call) ? unread : call
    const times = { startedAt, finishedAt: wallClock() }
    const stored = { client, id, module, name, args, meta, terms, starts, after }
    await writeOutcome(this.#options.bus, this.#jetstream, {
      ...stored,
      status,
      value,
      ran,
      engine,
      host: hostname(),
      ...times
    })
    if (head !== undefined) await this.#removePieces(head)
    message.ack()
    this.#held.delete(number)
    for (const told of this.#done) told()
  }

  async #removePieces(head: Head): Promise<void> {
    try {
      await removeArgs(this.#options.bus, await this.#streams(), head)
    } catch {
      // The broker is away: they go when they are old.
    }
  }

  #work(): void {
    for (const { message } of this.#held.values()) message.working()
  }
}

const unread = { args: undefined, meta: undefined, terms: undefined }

/** The subject by which a message is acknowledged. */
const receiptOf = (message: JsMsg): string => (message as unknown as { readonly reply: string }).reply

/** `undefined` also for one that cannot be read: the call stops all the same. */
const reasonIn = (text: string | undefined): unknown => {
  try {
    return text === undefined ? undefined : unpacked(text)
  } catch {
    return undefined
  }
}
