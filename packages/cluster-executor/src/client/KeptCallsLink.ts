/**
 * The one worker of a named client's executor: calls go to the broker, outcomes come from there.
 *
 * ```
 * waiting ──▶ written ──▶ settled          an engine has run it, and its outcome stands
 *    │           └──▶ taken out            nobody has begun it, and nobody will: that is its outcome
 *    └──▶ withdrawn                        nothing was sent of it
 * ```
 */
import { InvalidStateError, NotPortableError, WorkerLostError } from "@futures/core"
import { encodeError, frames, timers } from "@futures/core/Backend"
import type { Frame, Link, LinkEvents } from "@futures/core/Backend"
import type { JetStreamManager } from "@nats-io/jetstream"
import { setTimeout as sleep } from "node:timers/promises"
import { AGAIN } from "../wire/put.ts"
import { decode, ensurePool, ensureStreams, isHead, poolOf, unpack } from "../wire/streams.ts"
import type { Head, StoredCall, StoredOutcome, WorkerTerms } from "../wire/streams.ts"
import { CallStopper } from "./CallStopper.ts"
import { CallWriter } from "./CallWriter.ts"
import type { Client } from "./Client.ts"
import { findOutcome, wholeOutcome } from "./outcomes.ts"
import { WaitingCalls } from "./WaitingCalls.ts"
import type { Waiting } from "./WaitingCalls.ts"

const { clearInterval, queueMicrotask, setInterval } = timers

const { argsAt, callEnd, HEADER, Kind, Status } = frames

/** The module of calls that were handed in before: `futures-call:<id>`. */
export const EARLIER = "futures-call:"

/** Outcomes that were not told are looked for every so many milliseconds, so many at a time. */
const LOOK = 2_000
const AT_ONCE = 32

export interface KeptCallsOptions {
  /** The client's name. */
  readonly name: string
  readonly root: string
  /** Another folder, for modules that lie outside of that one. */
  readonly otherRoot: string | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly engine: string | undefined
  /** How often a call may be started. */
  readonly starts: number
  /** How long outcomes are kept, in milliseconds. */
  readonly retention: number
  /** How many calls the broker keeps. */
  readonly maxKept: number
  readonly connect: () => Promise<Client>
  readonly close: () => Promise<void>
}

type CallFields = [
  wireId: number,
  id: number,
  reference: frames.TaskReference,
  deadline: number,
  meta: frames.CallMeta
]

export class KeptCallsLink implements Link {
  readonly workerId = "cluster"
  readonly #options: KeptCallsOptions
  readonly #events: LinkEvents
  readonly #waiting = new WaitingCalls()
  readonly #opened: Promise<void>
  #client!: Client
  #manager!: JetStreamManager
  #writer!: CallWriter
  #stopper!: CallStopper
  #header: ReadonlyArray<unknown> = []
  #setup!: frames.Setup
  /** Module and name of each task, by the index that the executor gave it. */
  readonly #tasks: Array<readonly [module: string, name: string]> = []
  #ended = false
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
        this.#setup = frame[HEADER] as frames.Setup
        void this.#opened.then(() => this.#tell(Kind.Ready), () => {})
        break
      case Kind.Calls:
        for (let at = HEADER; at < frame.length; at = callEnd(frame, at)) {
          this.#call(frame.slice(at, callEnd(frame, at)) as CallFields, argsAt(frame, at))
        }
        break
      case Kind.Interrupt:
        void this.#interrupt(frame[HEADER] as number, frame[HEADER + 1] as number | undefined, frame[HEADER + 2])
        break
      case Kind.Stop:
        this.#end(undefined)
    }
    return true
  }

  withdraw(wireId: number): boolean {
    const waiting = this.#waiting.find(wireId)
    return waiting?.isEarlier === false && this.#writer.withdraw(waiting.id) && this.#waiting.delete(waiting)
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
    this.#writer?.end()
    this.#client?.bus.back.delete(this.#back)
    this.#client?.closing.delete(this.#closed)
    queueMicrotask(() => this.#events.exit(error === undefined ? { exitCode: 0 } : { error, redeliver: 0 }))
  }

  /** The connection is given up: engines go on with what they have. */
  readonly #closed = (): void =>
    this.#end(new Error("The connection was closed; the call goes on, and its outcome is kept"))

  get #pool(): string {
    return poolOf(this.#options.labels, this.#options.engine)
  }

  async #open(): Promise<void> {
    const { connect, name } = this.#options
    this.#client = await connect()
    const { bus } = this.#client
    bus.subscribe(
      `res.${name}.*`,
      (subject, data) => this.#told(Number(subject.slice(subject.lastIndexOf(".") + 1)), data)
    )
    bus.subscribe(`cl.${name}.progress.*`, (subject, data) => this.#progressed(Number(subject.split(".")[3]), data))
    bus.subscribe(`cl.${name}.output.*.*`, (subject, data, reply) => {
      const [, , , id, stream] = subject.split(".")
      if (this.#wrote(Number(id), Number(stream), data)) bus.answer(reply)
    })
    bus.back.add(this.#back)
    this.#client.closing.add(this.#closed)
    this.#manager = await ensureStreams(bus, this.#options)
    await ensurePool(this.#manager, bus, this.#pool)
    this.#writer = new CallWriter(this.#client, this.#manager, this.#pool)
    this.#stopper = new CallStopper(this.#client, this.#manager, name)
    this.#looks = setInterval(() => void this.#lookAgain(), LOOK)
    this.#looks.unref()
  }

  #tell(kind: number, ...body: ReadonlyArray<unknown>): void {
    if (!this.#ended) this.#events.frame([kind, ...this.#header, ...body])
  }

  // ---- handing in

  #call([wireId, id, reference, , meta]: CallFields, args: ReadonlyArray<unknown>): void {
    if (typeof reference !== "number") this.#tasks[reference[0]] = [reference[1], reference[2]]
    const [module, name] = this.#tasks[typeof reference === "number" ? reference : reference[0]]!
    const { name: client, starts } = this.#options
    const isEarlier = module.startsWith(EARLIER)
    const waiting: Waiting = {
      wireId,
      id: isEarlier ? Number(module.slice(EARLIER.length)) : id,
      isEarlier,
      label: isEarlier ? undefined : meta.label ?? name,
      after: meta.attempt === 1 ? 0 : undefined,
      writing: undefined,
      stopping: false,
      reading: false
    }
    this.#waiting.add(waiting)
    if (isEarlier) return void this.#check(waiting)
    if (meta.window > 0) {
      const why =
        `${name} is a generator task: what it yields is taken by its caller as it comes, and a named client's call outlives that`
      return this.#refuse(waiting, new InvalidStateError(why))
    }
    waiting.writing = this.#write(waiting, { client, id, module, name, args, meta, terms: this.#terms, starts })
  }

  /** What the executor's options ask of workers. */
  get #terms(): WorkerTerms | undefined {
    const { initializer, restore } = this.#setup
    return initializer === undefined && restore === undefined ? undefined : { initializer, restore }
  }

  async #write(waiting: Waiting, call: Omit<StoredCall, "after">): Promise<void> {
    this.#client.unwritten++
    const after = waiting.after ??= await this.#lastOutcome(waiting.id)
    const refused = await this.#writer.write({ ...call, after })
    waiting.writing = undefined
    this.#client.unwritten--
    if (refused !== undefined) this.#refuse(waiting, refused)
  }

  /** Where the outcome of the attempt before stands. */
  async #lastOutcome(id: number): Promise<number> {
    while (!this.#ended) {
      try {
        return (await findOutcome(this.#client.bus, this.#manager, this.#options.name, id))?.sequence ?? 0
      } catch {
        await sleep(AGAIN)
      }
    }
    return 0
  }

  // ---- settling

  #refuse(waiting: Waiting, error: Error): void {
    this.#settle(waiting, Status.Refused, encodeError(error, { sharesMemory: false }), 0)
  }

  #settle(waiting: Waiting, status: number, value: unknown, ran: number): void {
    if (this.#waiting.delete(waiting)) this.#tell(Kind.Outcomes, waiting.wireId, status, value, ran)
  }

  /** An outcome was written. */
  #told(id: number, data: Uint8Array): void {
    for (const waiting of this.#waiting.of(id)) void this.#take(waiting, decode<StoredOutcome>(data))
  }

  #progressed(id: number, data: Uint8Array): void {
    for (const { wireId } of this.#waiting.of(id)) this.#tell(Kind.Progress, wireId, unpack(data))
  }

  /** Shows what a call wrote. Answers `false` for one that nobody waits for here, and where tasks write to their engine's output. */
  #wrote(id: number, stream: number, data: Uint8Array): boolean {
    if (!this.#setup.pipeOutput || !this.#waiting.knows(id)) return false
    this.#tell(Kind.Output, stream, data)
    return true
  }

  /** Takes an outcome. Answers whether it is this attempt's. */
  async #take(waiting: Waiting, stored: StoredOutcome | Head): Promise<boolean> {
    if (!waiting.isEarlier && stored.after !== waiting.after) return false
    if (waiting.reading) return true
    waiting.reading = true
    try {
      const { ran, status, value } = isHead(stored)
        ? await wholeOutcome(this.#client.bus, this.#manager, stored)
        : stored
      this.#settle(waiting, status, value, ran)
    } catch (error) {
      // Otherwise the broker is away: it is looked for again.
      if (error instanceof NotPortableError) this.#refuse(waiting, error)
    }
    waiting.reading = false
    return true
  }

  // ---- looking

  /** Reads an outcome that may have been written already. Answers whether there was one. */
  async #look(waiting: Waiting): Promise<boolean> {
    const found = await findOutcome(this.#client.bus, this.#manager, this.#options.name, waiting.id)
    return found !== undefined && await this.#take(waiting, found.stored)
  }

  /** The same; a call that the broker knows nothing of has failed. */
  async #check(waiting: Waiting): Promise<void> {
    try {
      if (await this.#look(waiting)) return
      if (waiting.isEarlier ? this.#client.unwritten > 0 : waiting.writing !== undefined) return
      // It may have been taken out meanwhile, because it was done.
      if (await this.#stopper.find(waiting.id) !== undefined || await this.#look(waiting)) return
      const { name } = this.#options
      if (waiting.stopping) await this.#stopped(waiting, await this.#stopper.settle(waiting, undefined))
      else if (!waiting.isEarlier) {
        this.#refuse(waiting, new WorkerLostError({ workerId: "cluster", reason: "machine", task: waiting.label }))
      } else {this.#refuse(
          waiting,
          new InvalidStateError(`The broker knows no call ${waiting.id} of ${name}, or none any more`)
        )}
    } catch {
      // The broker is away: it is asked again when it is back.
    }
  }

  /** The broker is back: what was told meanwhile is read, and what it has lost has failed. */
  readonly #back = (): void => {
    void (async () => {
      const { bus } = this.#client
      for (;;) {
        try {
          await ensureStreams(bus, this.#options)
          await ensurePool(this.#manager, bus, this.#pool)
          break
        } catch {
          // It is away again, and tells when it is back; or it is slow.
          if (this.#ended || bus.since === undefined) return
          await sleep(AGAIN)
        }
      }
      for (const waiting of this.#waiting.all()) await this.#check(waiting)
    })()
  }

  /** Looks for those that have waited longest: what tells of outcomes may be lost on its way. */
  async #lookAgain(): Promise<void> {
    for (const waiting of this.#waiting.next(AT_ONCE)) if (!this.#ended) await this.#check(waiting)
  }

  // ---- stopping

  async #interrupt(wireId: number, grace: number | undefined, reason: unknown): Promise<void> {
    const waiting = this.#waiting.find(wireId)
    if (waiting === undefined) return
    if (!waiting.isEarlier && this.#writer.withdraw(waiting.id)) {
      return this.#settle(waiting, Status.Interrupted, undefined, 0)
    }
    waiting.stopping = true
    await waiting.writing
    while (!this.#ended && this.#waiting.has(waiting)) {
      try {
        const ending = await this.#stopper.stop(waiting, { grace, reason })
        return ending === "held" ? undefined : await this.#stopped(waiting, ending)
      } catch {
        await sleep(AGAIN)
      }
    }
  }

  async #stopped(waiting: Waiting, ending: "taken out" | "ended"): Promise<void> {
    if (ending === "ended") await this.#look(waiting)
    else this.#settle(waiting, Status.Interrupted, undefined, 0)
  }
}
