/**
 * Stops calls of a named client that the broker has.
 *
 * ```
 * queued ──▶ taken out        no engine has it, and none is given it: that is its outcome
 * held                        an engine stops it, and says how it ended
 * ended                       there was an outcome already
 * ```
 */
import { frames, timers } from "@futures/core/Backend"
import { jetstream } from "@nats-io/jetstream"
import type { JetStreamManager } from "@nats-io/jetstream"
import { hostname } from "node:os"
import type { InterruptMessage } from "../wire/messages.ts"
import { removeArgs } from "../wire/pieces.ts"
import { put, STANDS } from "../wire/put.ts"
import { callSubject, decode, encode, isHead, packed, streamName, subjectOf } from "../wire/streams.ts"
import type { Head, StoredCall, StoredOutcome } from "../wire/streams.ts"
import type { Client } from "./Client.ts"

/** How long engines may take to say that they have a call that is to stop, in milliseconds. */
const MINE = 500

interface Stopping {
  readonly id: number
  readonly after: number | undefined
}

/** What the task's worker is given. */
interface HowToStop {
  /** Milliseconds; `undefined` for the engine's own. */
  readonly grace: number | undefined
  /** An `ErrorRecord`. */
  readonly reason: unknown
}

export class CallStopper {
  readonly #client: Client
  readonly #manager: JetStreamManager
  /** The client's. */
  readonly #name: string

  constructor(client: Client, manager: JetStreamManager, name: string) {
    this.#client = client
    this.#manager = manager
    this.#name = name
  }

  /** A call that waits in the queue, or runs. */
  async find(id: number): Promise<StoredCall | Head | undefined> {
    const { bus } = this.#client
    const query = { last_by_subj: callSubject(bus, "*", this.#name, id) }
    const queued = await this.#manager.streams.getMessage(streamName(bus, "CALLS"), query)
    return queued === null ? undefined : decode<StoredCall>(queued.data)
  }

  /** Rejects when the broker does not answer. */
  async stop(call: Stopping, how: HowToStop): Promise<"held" | "taken out" | "ended"> {
    const { bus } = this.#client
    if (await this.#isHeld(call, how)) return "held"
    const queued = await this.find(call.id)
    const filter = callSubject(bus, "*", this.#name, call.id)
    await this.#manager.streams.purge(streamName(bus, "CALLS"), { filter })
    // An engine may have pulled it meanwhile; one that it is still on its way to starts nothing that it was told to stop.
    return await this.#isHeld(call, how) ? "held" : this.settle(call, queued)
  }

  async #isHeld({ id }: Stopping, { grace, reason }: HowToStop): Promise<boolean> {
    const { bus, registry } = this.#client
    const text = reason === undefined ? undefined : packed(reason)
    // A broker with a low limit takes no long message: to stop the call matters more than why.
    const isTooLong = text !== undefined && text.length > bus.maxPayload / 2
    const message: InterruptMessage = { client: this.#name, id, grace, reason: isTooLong ? undefined : text }
    const asked = registry.engines().map((engine) => bus.ask(`eng.${engine.id}.interrupt`, message, MINE))
    return (await Promise.all(asked)).includes("mine")
  }

  /** Nobody runs it, and nobody will: that is its outcome, unless there is one. `queued`: what was in the queue. */
  async settle({ after = 0, id }: Stopping, queued: StoredCall | Head | undefined): Promise<"taken out" | "ended"> {
    const { bus } = this.#client
    const now = timers.wallClock()
    const call = queued ?? { after, module: "", name: "", starts: 0 }
    const whole = queued === undefined || isHead(queued) ? undefined : queued
    const outcome: StoredOutcome = {
      client: this.#name,
      id,
      module: call.module,
      name: call.name,
      args: whole?.args,
      meta: whole?.meta,
      terms: whole?.terms,
      starts: call.starts,
      after: call.after,
      status: frames.Status.Interrupted,
      value: undefined,
      ran: 0,
      engine: "",
      host: hostname(),
      startedAt: now,
      finishedAt: now
    }
    const subject = subjectOf(bus, `res.${this.#name}.${id}`)
    const written = await put(jetstream(bus.nats), subject, encode(outcome), {
      isOver: () => bus.nats.isClosed(),
      unless: STANDS,
      expect: { lastSubjectSequence: call.after }
    })
    if (queued !== undefined && isHead(queued)) await removeArgs(bus, this.#manager, queued)
    return written === "refused" ? "ended" : "taken out"
  }
}
