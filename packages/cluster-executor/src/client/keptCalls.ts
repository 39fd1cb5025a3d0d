/**
 * Calls that outlive their client: each is written to the broker when it is handed in, and run by whatever engine pulls it. Its outcome is read from the
 * broker, whenever somebody asks.
 *
 * To the executor it is one worker that takes everything, and queues by itself.
 */
import { InvalidStateError, QueueFullError, WorkerLostError } from "@futures/core"
import { encodeError, frames } from "@futures/core/Backend"
import type { Backend, Frame, Link, LinkEvents } from "@futures/core/Backend"
import { jetstream, JetStreamApiError } from "@nats-io/jetstream"
import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream"
import { setTimeout as sleep } from "node:timers/promises"
import { locator } from "../code.ts"
import type { Bus } from "../wire/Bus.ts"
import type { InterruptMessage } from "../wire/messages.ts"
import {
  decode,
  encode,
  ensurePool,
  ensureStreams,
  HEADERS,
  MOST_CALLS,
  poolOf,
  RETENTION,
  streamName,
  subjectOf
} from "../wire/streams.ts"
import type { StoredCall, StoredOutcome } from "../wire/streams.ts"
import type { Client } from "./Client.ts"

const { callEnd, HEADER, Kind, Status } = frames

/** The module of calls that were handed in before: `futures-call:<id>`. */
export const EARLIER = "futures-call:"

/** Calls that may be on their way to the broker at a time. */
const WINDOW = 256
const AGAIN = 100
/** How long engines may take to say that they have a call that is to stop, in milliseconds. */
const MINE = 500
/** Outcomes that were not told are looked for every so many milliseconds, so many at a time. */
const LOOK = 2_000
const AT_ONCE = 32
const FULL = 10077

export interface KeptCallsOptions {
  /** The client's name. */
  readonly name: string
  readonly root: string
  readonly labels: Readonly<Record<string, string>>
  readonly engine: string | undefined
  /** How often a call may be started. */
  readonly starts: number
  /** How long outcomes are kept, in milliseconds. */
  readonly retention: number
  readonly connect: () => Promise<Client>
  readonly close: () => Promise<void>
}

interface Waiting {
  readonly wireId: number
  readonly id: number
  /** Where it stands in the stream, once it was written. */
  sequence: number | undefined
}

let lastCall = 0

/** Calls are numbered by the time, whatever executor of this program they go to: no two have the same, however often a client is started. */
const nextCall = (): number => lastCall = Math.max(lastCall + 1, Date.now() * 1_024)

export const keptCalls = (options: KeptCallsOptions): Backend => ({
  name: "cluster",
  sharesMemory: false,
  remote: true,
  single: true,
  close: options.close,
  locate: locator(options.root),
  nextCall,
  spawn: (_, events) => new KeptCallsLink(options, events)
})

class KeptCallsLink implements Link {
  readonly workerId = "cluster"
  readonly #options: KeptCallsOptions
  readonly #events: LinkEvents
  readonly #waiting = new Map<number, Waiting>()
  readonly #opened: Promise<void>
  #client!: Client
  #manager!: JetStreamManager
  #jetstream!: JetStreamClient
  #header: ReadonlyArray<unknown> = []
  /** Module and name of each task, by the index that the executor gave it. */
  readonly #tasks: Array<readonly [module: string, name: string]> = []
  #ended = false
  #onTheWay = 0
  #looks: NodeJS.Timeout | undefined

  constructor(options: KeptCallsOptions, events: LinkEvents) {
    this.#options = options
    this.#events = events
    this.#opened = this.#open()
    this.#opened.catch((error: unknown) => this.#fail(error))
  }

  send(frame: Frame): boolean {
    if (this.#ended) return false
    switch (frame[0]) {
      case Kind.Hello:
        this.#header = frame.slice(1, HEADER)
        void this.#opened.then(() => this.#tell(Kind.Ready), () => {})
        break
      case Kind.Calls:
        for (let at = HEADER; at < frame.length; at = callEnd(frame, at)) {
          void this.#call(frame.slice(at, callEnd(frame, at)) as never)
        }
        break
      case Kind.Interrupt:
        void this.#interrupt(frame[HEADER] as number, frame[HEADER + 1] as number | undefined)
        break
      case Kind.Stop:
        this.#end(undefined)
    }
    return true
  }

  /** The calls stay where they are. */
  kill(): void {
    this.#end(undefined)
  }

  #fail(error: unknown): void {
    this.#ended = true
    queueMicrotask(() => this.#events.exit({ error }))
  }

  #end(error: unknown): void {
    if (this.#ended) return
    this.#ended = true
    clearInterval(this.#looks)
    this.#client?.bus.back.delete(this.#back)
    this.#client?.closing.delete(this.#closed)
    queueMicrotask(() => this.#events.exit(error === undefined ? { exitCode: 0 } : { error, redeliver: 0 }))
  }

  /** The connection is given up: engines go on with what they have. */
  readonly #closed = (): void =>
    this.#end(new Error("The connection was closed; the call goes on, and its outcome is kept"))

  async #open(): Promise<void> {
    const { connect, engine, labels, name, retention } = this.#options
    this.#client = await connect()
    const { bus } = this.#client
    bus.subscribe(
      `res.${name}.*`,
      (subject, data) => this.#arrived(Number(subject.slice(subject.lastIndexOf(".") + 1)), data)
    )
    bus.back.add(this.#back)
    this.#client.closing.add(this.#closed)
    this.#manager = await ensureStreams(bus, retention)
    await ensurePool(this.#manager, bus, poolOf(labels, engine))
    this.#jetstream = jetstream(bus.nats)
    this.#looks = setInterval(() => void this.#lookAgain(), LOOK)
    this.#looks.unref()
  }

  #tell(kind: number, ...body: ReadonlyArray<unknown>): void {
    if (!this.#ended) this.#events.frame([kind, ...this.#header, ...body])
  }

  async #call(
    [wireId, callId, reference, , meta, , ...args]: [
      number,
      number,
      frames.TaskReference,
      number,
      unknown,
      number,
      ...ReadonlyArray<unknown>
    ]
  ): Promise<void> {
    if (typeof reference !== "number") this.#tasks[reference[0]] = [reference[1], reference[2]]
    const [module, name] = this.#tasks[typeof reference === "number" ? reference : reference[0]]!
    const { labels, engine, name: client, starts } = this.#options
    if (module.startsWith(EARLIER)) {
      const id = Number(module.slice(EARLIER.length))
      this.#waiting.set(id, { wireId, id, sequence: undefined })
      return this.#look(id, name === "known")
    }
    const waiting: Waiting = { wireId, id: callId, sequence: undefined }
    this.#waiting.set(callId, waiting)
    if ((meta as frames.CallMeta).window > 0) {
      const why = "A generator task needs its caller, and cannot be one of a named client"
      return this.#refuse(callId, new InvalidStateError(why))
    }
    const call: StoredCall = { client, id: callId, module, name, args, meta, starts }
    const bytes = encode(call)
    const { bus } = this.#client
    const longest = bus.maxPayload - HEADERS
    if (bytes.length > longest) {
      const why = `Arguments of ${bytes.length} bytes are longer than the broker keeps (${longest})`
      return this.#refuse(callId, new RangeError(why))
    }
    this.#client.unwritten++
    while (this.#onTheWay >= WINDOW) await sleep(1)
    this.#onTheWay++
    const subject = subjectOf(bus, `call.${poolOf(labels, engine)}`)
    // The same message id each time: the broker takes it once.
    while (!this.#ended && this.#waiting.has(callId)) {
      try {
        waiting.sequence = (await this.#jetstream.publish(subject, bytes, { msgID: `${client}.${callId}` })).seq
        break
      } catch (error) {
        if (error instanceof JetStreamApiError && error.code === FULL) {
          this.#refuse(callId, new QueueFullError({ maxPending: MOST_CALLS }))
        } else await sleep(AGAIN)
      }
    }
    this.#onTheWay--
    this.#client.unwritten--
  }

  #refuse(id: number, error: Error): void {
    this.#settle(id, Status.Refused, encodeError(error, { sharesMemory: false }), 0)
  }

  #settle(id: number, status: number, value: unknown, ran: number): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    this.#tell(Kind.Outcomes, waiting.wireId, status, value, ran)
  }

  #arrived(id: number, data: Uint8Array): void {
    if (!this.#waiting.has(id)) return
    const { ran, status, value } = decode<StoredOutcome>(data)
    this.#settle(id, status, value, ran)
  }

  /** Reads an outcome that may have been written already. `known`: there must be one, or a call that waits for it. */
  async #look(id: number, known: boolean): Promise<void> {
    const { bus } = this.#client
    const subject = subjectOf(bus, `res.${this.#options.name}.${id}`)
    const read = async (): Promise<boolean> => {
      const stored = await this.#manager.streams.getMessage(streamName(bus, "RES"), { last_by_subj: subject })
      if (stored !== null) this.#arrived(id, stored.data)
      return stored !== null
    }
    try {
      const sequence = this.#waiting.get(id)?.sequence
      if (await read() || !known || sequence === undefined) return
      const kept = await this.#manager.streams.getMessage(streamName(bus, "CALLS"), { seq: sequence })
      // It may have been taken out meanwhile, because it was done.
      if (kept !== null || await read()) return
      this.#refuse(id, new WorkerLostError({ workerId: "cluster", reason: "machine" }))
    } catch {
      // The broker is away: it is asked again when it is back.
    }
  }

  /** The broker is back: what was told meanwhile is read, and what it has lost has failed. */
  readonly #back = (): void => {
    void (async () => {
      const { bus } = this.#client
      const { engine, labels, retention } = this.#options
      for (;;) {
        try {
          await ensureStreams(bus, retention)
          await ensurePool(this.#manager, bus, poolOf(labels, engine))
          break
        } catch {
          // It is away again, and tells when it is back; or it is slow.
          if (this.#ended || bus.since === undefined) return
          await sleep(AGAIN)
        }
      }
      for (const id of this.#waiting.keys()) await this.#look(id, true)
    })()
  }

  /** Looks for those that have waited longest: what tells of outcomes may be lost on its way. */
  async #lookAgain(): Promise<void> {
    let count = 0
    for (const id of this.#waiting.keys()) {
      if (this.#ended || ++count > AT_ONCE) return
      await this.#look(id, true)
    }
  }

  async #interrupt(wireId: number, grace: number | undefined): Promise<void> {
    const waiting = [...this.#waiting.values()].find((each) => each.wireId === wireId)
    if (waiting === undefined) return
    const { bus, registry } = this.#client
    const { id, sequence } = waiting
    const { name: client } = this.#options
    const isHeld = async (): Promise<boolean> => {
      const ask = registry.engines().map((engine) =>
        bus.ask(`eng.${engine.id}.interrupt`, { client, id, grace } satisfies InterruptMessage, MINE)
      )
      return (await Promise.all(ask)).includes("mine")
    }
    if (await isHeld()) return
    // It is taken out of the queue, if it is there.
    const calls = streamName(bus, "CALLS")
    if (sequence !== undefined) await this.#manager.streams.deleteMessage(calls, sequence).catch(() => false)
    // Unless an engine has pulled it meanwhile.
    if (await isHeld()) return
    this.#settle(id, Status.Interrupted, undefined, 0)
  }
}

/** How a call ended, as the broker keeps it; `undefined` when it keeps nothing. */
export const readOutcome = async (bus: Bus, client: string, id: number): Promise<StoredOutcome | undefined> => {
  const manager = await ensureStreams(bus, RETENTION)
  const subject = subjectOf(bus, `res.${client}.${id}`)
  const stored = await manager.streams.getMessage(streamName(bus, "RES"), { last_by_subj: subject })
  return stored === null ? undefined : decode<StoredOutcome>(stored.data)
}
