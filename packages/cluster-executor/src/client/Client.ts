/**
 * What a program has to do with a broker: finds places for its workers, and carries what goes to them and comes from them.
 *
 * One for each connection, whatever number of executors use it.
 */
import { timers } from "@futures/core/Backend"
import { randomUUID } from "node:crypto"
import { BrokerError } from "../broker/BrokerError.ts"
import type { Connection } from "../broker/credentials.ts"
import { publishDisconnect, publishReconnect } from "../events.ts"
import type { ClusterConnectionEvent } from "../events.ts"
import { Registry } from "../registry.ts"
import { Bus, parse } from "../wire/Bus.ts"
import { gone, isGone } from "../wire/Channel.ts"
import type { OfferMessage, PlacedMessage, TakeMessage, WantMessage } from "../wire/messages.ts"
import type { Place, PlaceHost } from "./Place.ts"
import { Shares } from "./shares.ts"

const { clearInterval, queueMicrotask, setInterval } = timers

/** What an executor asks of its workers' places. */
export interface Wishes {
  /** Names the executor among all of the cluster. */
  readonly owner: string
  readonly labels: Readonly<Record<string, string>>
  /** Only on this engine. */
  readonly engine: string | undefined
  /** How often a call may kill its engine before it counts as poison; 0 when none is to run twice. */
  readonly redeliver: number
  /** Whether a worker may be given more than it runs: then it is not known what it had started when its engine dies. */
  readonly windows: boolean
  readonly execArgv: ReadonlyArray<string>
  /** The caller's code root, for errors. */
  readonly root: string
  readonly argv: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Wishes are said again after this many milliseconds, and an engine may be asked to take a slot back. */
const WISH_AGAIN_MS = 500
/** Unacknowledged messages are resent every second tick. */
const LOOK_EVERY = 2

/** Without the credentials. */
const connectionEvent = ({ connection: { namespace, servers } }: Bus): ClusterConnectionEvent => ({
  servers,
  namespace
})

export class Client implements PlaceHost {
  readonly id = randomUUID().slice(0, 13)
  readonly bus: Bus
  readonly registry: Registry
  readonly #places = new Map<string, Place>()
  readonly #wanted = new Set<Place>()
  readonly #ticks: NodeJS.Timeout
  #tickCount = 0
  readonly #shares: Shares
  /** Calls of named clients that the broker does not have yet. */
  unwritten = 0
  /** Told when it is closed. */
  readonly closing = new Set<() => void>()
  #leases = 0
  #wishing = false

  /** Rejects with `BrokerError` when the broker cannot be reached. */
  static async connect(connection: Connection, name: string): Promise<Client> {
    return new Client(await Bus.connect(connection, name))
  }

  private constructor(bus: Bus) {
    this.bus = bus
    this.registry = new Registry(bus)
    this.#shares = new Shares(this.registry)
    bus.subscribe(`cl.${this.id}.>`, (subject, data, reply) => this.#receive(subject, data, reply))
    bus.back.add(() => this.#back())
    bus.refused.add((subject) => this.#refused(subject))
    this.registry.follow((change) => {
      if (change.type === "join") return this.#wish()
      if (change.type === "disconnect") return publishDisconnect(connectionEvent(bus))
      if (change.type === "reconnect") return publishReconnect(connectionEvent(bus))
      const { host, id } = change.engine
      const why = change.reason === "exit" ? "has ended" : "has not been heard of for too long"
      for (const place of this.#of(id)) place.lost(`Engine ${id} on ${host} ${why}`)
      for (const place of this.#wanted) if (place.wishes.engine === id) this.#never(place)
    })
    this.#ticks = setInterval(() => this.#tick(), WISH_AGAIN_MS)
    this.#ticks.unref()
  }

  /** Looks for a place. */
  open(place: Place): void {
    if (!place.opened(`${this.id}-${(++this.#leases).toString(36)}`, this)) return
    this.#places.set(place.lease, place)
    this.#wanted.add(place)
    if (this.#isInVain(place)) return this.#never(place)
    this.#wish()
  }

  /** Whether the only engine that it may have is not there. */
  #isInVain({ wishes: { engine } }: Place): boolean {
    return engine !== undefined && this.registry.hasHeard && this.registry.find(engine) === undefined
  }

  #never(place: Place): void {
    place.end({ error: new Error(`There is no engine ${place.wishes.engine} in the cluster`) })
  }

  /** Nobody would ever hear of what is wanted. */
  #refused(subject: string): void {
    if (subject !== "want") return
    const message = "The broker does not let this user hand in calls: connect with the credentials of a client"
    const error = new BrokerError({ reason: "permission", message })
    for (const place of this.#wanted) place.end({ error })
  }

  async close(): Promise<void> {
    clearInterval(this.#ticks)
    this.registry.close()
    for (const place of this.#places.values()) place.end({ error: new Error("The cluster was closed") })
    for (const told of this.closing) told()
    await this.bus.close()
  }

  // ---- for places

  get maxPayload(): number {
    return this.bus.maxPayload
  }

  readonly publish = (subject: string, head: Uint8Array, rest?: Uint8Array): void =>
    this.bus.publish(subject, head, rest)

  unwanted(place: Place): void {
    if (!this.#wanted.delete(place)) return
    this.#shares.answered(place.wishes.owner)
    this.bus.tell("want", { ...this.#want(place.wishes, [place.lease]), over: true })
  }

  take({ engine, idleTimeoutMs: idle, lease, offer, wishes }: Place): void {
    const idleTimeoutMs = Number.isFinite(idle) ? idle : undefined
    const { argv, execArgv, owner, root } = wishes
    const env = Object.fromEntries(Object.entries(wishes.env).map(([name, value]) => [name, value ?? null]))
    this.bus.tell(
      `eng.${engine}.take`,
      { client: this.id, owner, offer, lease, execArgv, argv, root, env, idleTimeoutMs } satisfies TakeMessage
    )
  }

  refuse(engine: string, lease: string): void {
    this.bus.publish(`eng.${engine}.d.${lease}`, gone())
  }

  forget(place: Place): void {
    this.#places.delete(place.lease)
  }

  // ---- what is heard

  #receive(subject: string, data: Uint8Array, reply: string): void {
    const [, , kind, engine, lease] = subject.split(".") as [string, string, string, string, string]
    if (kind === "d") {
      this.registry.lives(engine)
      const place = this.#places.get(lease)
      if (place !== undefined) place.data(data)
      else if (!isGone(data)) this.refuse(engine, lease)
      return
    }
    if (kind === "ping") return this.bus.answer(reply)
    if (kind === "offer") {
      const offer = parse<OfferMessage>(data)
      if (offer === undefined) return
      if (this.#placeFor(offer)?.offered(offer) !== true) this.refuse(offer.engine, offer.offer)
    }
    if (kind === "placed") {
      const message = parse<PlacedMessage>(data)
      if (message === undefined) return
      const place = this.#places.get(message.lease)
      if (place === undefined) this.refuse(message.engine, message.lease)
      else place.placed(message)
    }
  }

  /** The place that an offer answers, or, if that has an engine by now, another that its executor wishes for. */
  #placeFor({ lease }: OfferMessage): Place | undefined {
    const asked = this.#places.get(lease)
    if (asked === undefined || asked.state === "wanted") return asked
    for (const place of this.#wanted) if (place.state === "wanted" && place.wishes === asked.wishes) return place
    return undefined
  }

  // ---- wishes

  /** Says what is wanted, after the code that is running now. */
  #wish(): void {
    if (this.#wishing) return
    this.#wishing = true
    queueMicrotask(() => {
      this.#wishing = false
      const groups = new Map<Wishes, Array<string>>()
      for (const place of this.#wanted) {
        if (place.state !== "wanted") continue
        const leases = groups.get(place.wishes)
        if (leases === undefined) groups.set(place.wishes, [place.lease])
        else leases.push(place.lease)
      }
      for (const [wishes, leases] of groups) {
        const want = this.#want(wishes, leases)
        this.bus.tell("want", { ...want, recall: this.#shares.recall(want) })
      }
    })
  }

  #want({ engine, labels, owner }: Wishes, leases: ReadonlyArray<string>): WantMessage {
    let held = 0
    for (const place of this.#places.values()) if (place.state === "placed" && place.wishes.owner === owner) held++
    return { client: this.id, owner, leases, labels, engine, held }
  }

  #of(engine: string): Array<Place> {
    return [...this.#places.values()].filter((place) => place.engine === engine)
  }

  #back(): void {
    for (const place of this.#places.values()) place.resync()
    this.#tick()
  }

  #tick(): void {
    const isLooking = this.#tickCount++ % LOOK_EVERY === 0
    for (const place of isLooking ? this.#places.values() : []) {
      place.tick()
      // The answer, or the question, was lost.
      if (place.state === "taken") this.take(place)
    }
    for (const place of this.#wanted) if (this.#isInVain(place)) this.#never(place)
    if (this.#wanted.size > 0) this.#wish()
  }
}
