/**
 * A slot of this engine that a client has, or may have.
 *
 * ```
 * offered ──▶ running ──▶ ended
 *    └──▶ ended                   the client has found another place, or does not answer
 * ```
 */
import type { LinkExit } from "@futures/core/Backend"
import { timers } from "@futures/core/Backend"
import { openChild } from "@futures/process-executor/children"
import type { Child } from "@futures/process-executor/children"
import { Channel, isGone, Kind } from "../wire/Channel.ts"
import type { ExitMessage } from "../wire/messages.ts"
import { headerOf, numbersIn, numbersOf, PARCEL_HEADER } from "../wire/parcel.ts"
import { HeldCalls } from "./HeldCalls.ts"
import { Slab } from "./Slab.ts"
import { END_IF_IDLE } from "./variable.ts"

const { performance, queueMicrotask } = timers

/** A worker that has calls is asked again to end after this many milliseconds. */
const ASK_AGAIN_MS = 1_000

/** What a lease needs of its engine. */
export interface LeaseHost {
  readonly maxPayload: number
  readonly id: string
  readonly publish: (subject: string, head: Uint8Array, rest?: Uint8Array) => void
  readonly ended: (lease: Lease) => void
}

/** What the worker is to be. */
export type WorkerSpec = Parameters<typeof openChild>[0]

export class Lease {
  /** The name of the offer until a client takes it, then of the client's wish. */
  id: string
  readonly client: string
  readonly owner: string
  /** When it was offered, or its worker was born. */
  readonly since = performance.now()
  /** When anything last went to or came from its worker. */
  movedAt = performance.now()
  recalled = false
  /** How long the worker may be idle while the broker is away. */
  idleTimeoutMs = Infinity
  #askedToEndAt = -Infinity
  /** Whether the engine ended it for reasons of its own. */
  #evicted = false
  #child: Child | undefined
  #channel: Channel | undefined
  #exited = false
  #started = 0
  /** Calls that were sent ahead. */
  readonly #held = new HeldCalls({
    mark: () => this.started,
    write: (bytes) => this.#toWrite(bytes),
    returned: (from, to, isLate) => this.#channel?.send(Kind.Returned, numbersOf(from, to, isLate ? 1 : 0)),
    marked: (mark) => this.#channel?.whisper(Kind.Looked, numbersOf(mark))
  })
  /** Why nothing more that the client sends is trusted. */
  #fault: string | undefined
  /** What came for the worker since the code that is running now began: it is written together. */
  #toChild: Array<Uint8Array> = []
  readonly #host: LeaseHost

  constructor(id: string, client: string, owner: string, host: LeaseHost) {
    this.id = id
    this.client = client
    this.owner = owner
    this.#host = host
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get marks(): boolean {
    return this.#child?.started !== undefined
  }

  /** Calls that its worker has started. */
  get started(): number {
    if (!this.#exited) this.#started = this.#child?.started?.() ?? 0
    return this.#started
  }

  start(spec: WorkerSpec): void {
    const host = this.#host
    const subject = `cl.${this.client}.d.${host.id}.${this.id}`
    const memory = new Slab()
    const channel = this.#channel = new Channel(
      host.maxPayload,
      (head, rest) => host.publish(subject, head, rest),
      (kind, payload) => this.#receive(kind, payload)
    )
    this.#child = openChild(spec, {
      reader: {
        get room() {
          return memory.room
        },
        push: (chunk) => {
          this.movedAt = performance.now()
          memory.keep(chunk)
          channel.send(Kind.Bytes, chunk)
          this.#held.look(true)
        }
      },
      exit: (exit) => this.#exit(exit)
    })
  }

  data(message: Uint8Array): void {
    if (isGone(message)) return this.drop()
    this.movedAt = performance.now()
    this.#channel?.receive(message)
    // The client has heard of the end: nothing is owed any more.
    if (this.#exited && this.#channel?.isIdle === true) this.#over()
  }

  /** Asks the client to use the slot for what it has there, and no more. */
  recall(): void {
    if (this.recalled) return
    this.recalled = true
    this.#channel?.send(Kind.Recall)
  }

  /** Ends the worker though its client still wants it. */
  evict(): void {
    this.#evicted = true
    if (this.#child === undefined) this.#over()
    else this.#child.kill()
  }

  /** While the broker is away: asks a worker that nothing went to or came from for `idleTimeoutMs` to end, if it has no calls. */
  endIfIdle(): void {
    const now = performance.now()
    const pid = this.#child?.pid
    if (pid === undefined || this.#exited || process.platform === "win32") return
    if (now - this.movedAt < this.idleTimeoutMs || now - this.#askedToEndAt < ASK_AGAIN_MS) return
    this.#askedToEndAt = now
    try {
      process.kill(pid, END_IF_IDLE)
    } catch {
      // It has ended, and says so in a moment.
    }
  }

  /** Nobody is left to hear of it. */
  drop(): void {
    this.#channel?.close()
    this.#channel = undefined
    if (this.#child === undefined || this.#exited) this.#over()
    else this.#child.leave()
  }

  resync(): void {
    this.#channel?.resync()
  }

  tick(): void {
    this.#channel?.tick()
  }

  #toWrite(bytes: Uint8Array): void {
    if (this.#toChild.push(bytes) === 1) queueMicrotask(this.#write)
  }

  readonly #write = (): void => {
    const parts = this.#toChild
    this.#toChild = []
    this.#child?.write(...parts)
  }

  #receive(kind: number, payload: Uint8Array): void {
    switch (kind) {
      case Kind.Bytes:
        if (!this.#held.isArriving) return this.#toWrite(payload)
        if (!this.#held.take(payload)) this.#malformed()
        return
      case Kind.Parcel: {
        const header = headerOf(payload)
        if (header === undefined || this.#held.isArriving) return this.#malformed()
        return this.#held.begin(header, payload.subarray(PARCEL_HEADER))
      }
      case Kind.GiveBack: {
        if (payload.length !== 8) return this.#malformed()
        const wireId = numbersIn(payload)[0]!
        if (wireId === 0) return this.#held.giveBackHalf()
        // It is to stop: see `Lane.interrupt`.
        if (!this.#held.giveBack(wireId)) this.#child?.requestStop?.(wireId)
        return
      }
      case Kind.RequestStop:
        if (payload.length !== 8) return this.#malformed()
        return this.#child?.requestStop?.(numbersIn(payload)[0]!)
      case Kind.Kill:
        return this.#child?.kill()
      case Kind.Look: {
        if (payload.length !== 8) return
        return this.#channel?.whisper(Kind.Looked, numbersOf(this.started, numbersIn(payload)[0]!))
      }
    }
  }

  /** Nothing that this client sends can be trusted: its worker ends, and no other. */
  #malformed(): void {
    this.#fault ??= "The client sent a parcel that has not the shape of one"
    this.#held.close()
    this.#child?.kill()
  }

  #exit({ error, exitCode, signal }: LinkExit): void {
    const { marks, started } = this
    this.#exited = true
    this.#held.close()
    if (this.#channel === undefined) return this.#over()
    const message: ExitMessage = {
      exitCode,
      signal,
      error: this.#fault ?? (error === undefined ? undefined : error instanceof Error ? error.message : String(error)),
      started: marks ? started : undefined,
      ended: this.#evicted
    }
    this.#channel.send(Kind.Exit, Buffer.from(JSON.stringify(message)))
  }

  #over(): void {
    this.#held.close()
    this.#channel?.close()
    this.#channel = undefined
    this.#host.ended(this)
  }
}
