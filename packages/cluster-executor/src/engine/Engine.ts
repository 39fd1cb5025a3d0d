/**
 * An engine: slots on this machine, offered to whoever wants one.
 *
 * ```
 * open ──▶ draining ──▶ ended        no new workers; those that run are given back by their clients when they are done
 *               └─ told to end, or `grace` is over: what runs is given back to be run elsewhere
 * ```
 *
 * It never looks into what goes to its workers and comes from them. A free slot is offered to the executor that holds least in the whole cluster; where several
 * engines could, the least loaded offers first. Who waits and holds less than others asks one engine at a time to take a slot back from them: see `client/shares.ts`.
 */
import { frames, inheritedExecArgv, timers } from "@futures/core/Backend"
import { childProcesses, Watchdog } from "@futures/process-executor/children"
import { hostname } from "node:os"
import { fileURLToPath } from "node:url"
import type { CodeOptions } from "../code.ts"
import { bornAt } from "../processState.ts"
import { BEAT } from "../registry.ts"
import { VERSION } from "../version.ts"
import { Bus, parse } from "../wire/Bus.ts"
import { gone, isGone } from "../wire/Channel.ts"
import type {
  BeatMessage,
  EngineInfo,
  HeldSlots,
  InterruptMessage,
  OfferMessage,
  PlacedMessage,
  TakeMessage,
  WantMessage
} from "../wire/messages.ts"
import { Clients } from "./Clients.ts"
import { KeptCalls } from "./KeptCalls.ts"
import { Lease } from "./Lease.ts"
import type { LeaseHost } from "./Lease.ts"
import type { ResolvedEngineOptions } from "./options.ts"
import { WORKER_VARIABLE } from "./variable.ts"
import { Wants } from "./Wants.ts"

const { clearInterval, clearTimeout, performance, setInterval, setTimeout } = timers

/** An offer that is not answered within so many milliseconds is withdrawn. */
const OFFER = 1_500
/** By so many milliseconds a full engine lets an empty one go first. */
const RESERVE = 4
/** Lost messages are looked for every so many milliseconds, and slots recalled. */
const TICK = 250
/** A slot is taken back for others after it was held for this long, in milliseconds: each change costs the start of a process. */
const FAIR_MS = 500
/** So many milliseconds are given to clients to hear of workers that were ended. */
const LAST = 1_500
/** Shortest interval between heartbeats sent for calls just taken from the queue, in milliseconds. */
const BEAT_AGAIN_MS = 20
/** A worker that nothing was heard of for so long may be idle. */
const IDLE = 1_000

const entry = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "../worker.ts" : "../worker.js", import.meta.url))

export class Engine implements LeaseHost {
  readonly id: string
  /** Resolves when it has ended. */
  readonly done: Promise<void>
  readonly #options: ResolvedEngineOptions
  readonly #bus: Bus
  readonly #leases = new Map<string, Lease>()
  readonly #wants: Wants
  readonly #clients: Clients
  readonly #watchdog = new Watchdog("/bin/sh")
  readonly #beats: NodeJS.Timeout
  readonly #ticks: NodeJS.Timeout
  readonly #kept: KeptCalls
  #state: "open" | "draining" | "ended" = "open"
  /** When each executor that waits was offered a slot last. */
  readonly #offeredAt = new Map<string, number>()
  #offerCount = 0
  #doneBefore = 0
  #beatAt = -Infinity
  #beatTimer: NodeJS.Timeout | undefined
  /** Since when calls of named clients are preferred to executors that hold as many slots; `undefined` from when one of those was served. */
  #keptTurnAt: number | undefined
  #offering: NodeJS.Timeout | undefined
  /** For a drain that takes too long. */
  #patience: NodeJS.Timeout | undefined
  #resolveDone!: () => void

  static async start(options: ResolvedEngineOptions): Promise<Engine> {
    return new Engine(options, await Bus.connect(options.connection, `futures engine ${options.id}`))
  }

  private constructor(options: ResolvedEngineOptions, bus: Bus) {
    this.id = options.id
    this.done = new Promise((resolve) => this.#resolveDone = resolve)
    this.#options = options
    this.#bus = bus
    this.#wants = new Wants(this.id, options.labels)
    this.#clients = new Clients(bus, {
      isHolding: (client) => this.#leasesOf(client).length > 0,
      gone: (client) => this.#leasesOf(client).forEach((lease) => lease.drop())
    })
    const { id: engine, labels, slots } = options
    this.#kept = new KeptCalls({
      bus,
      engine,
      slots,
      labels,
      free: () => this.#freeForKept(),
      taken: () => this.#beatSoon(),
      backend: childProcesses(this.#watchdog, entry),
      env: { [WORKER_VARIABLE]: JSON.stringify(this.#code) }
    })
    bus.subscribe("who", () => this.#beat())
    bus.subscribe("want", (_, data) => this.#wanted(parse<WantMessage>(data)))
    bus.subscribe(`eng.${this.id}.>`, (subject, data, reply) => this.#receive(subject, data, reply))
    bus.back.add(() => this.#back())
    this.#kept.start()
    this.#beats = setInterval(() => this.#beat(), BEAT)
    this.#ticks = setInterval(() => this.#tick(), TICK)
    this.#beat()
    const { drainOn } = options
    if (drainOn?.aborted === true) void this.drain()
    else drainOn?.addEventListener("abort", () => void this.drain(), { once: true })
  }

  get #code(): CodeOptions {
    const { id: engine, root, textModules } = this.#options
    return { root, textModules, engine }
  }

  get info(): EngineInfo {
    const { labels, slots } = this.#options
    let done = this.#doneBefore + this.#kept.started
    for (const lease of this.#leases.values()) done += frames.callsBy(lease.started)
    return {
      id: this.id,
      host: hostname(),
      pid: process.pid,
      slots,
      running: this.#leases.size + this.#kept.size,
      done,
      labels,
      version: VERSION
    }
  }

  /** Takes nothing more, and ends once what runs is done. */
  drain(): Promise<void> {
    if (this.#state !== "open") return this.done
    this.#state = "draining"
    for (const lease of this.#leases.values()) {
      if (lease.isRunning) lease.recall()
      else lease.drop()
    }
    void this.#kept.drain().then(() => this.#endWhenIdle())
    const { grace } = this.#options
    if (grace !== Infinity) this.#patience = setTimeout(() => void this.end(), Math.min(grace, 2 ** 31 - 1))
    return this.done
  }

  /** Ends now: what runs is handed to other engines. */
  end(): Promise<void> {
    void this.drain()
    clearTimeout(this.#patience)
    for (const lease of this.#leases.values()) lease.evict()
    void this.#kept.end()
    this.#patience = setTimeout(() => void this.#close(), LAST)
    return this.done
  }

  // ---- for leases

  get maxPayload(): number {
    return this.#bus.maxPayload
  }

  readonly publish = (subject: string, head: Uint8Array, rest?: Uint8Array): void =>
    this.#bus.publish(subject, head, rest)

  ended(lease: Lease): void {
    if (!this.#leases.delete(lease.id)) return
    this.#doneBefore += frames.callsBy(lease.started)
    this.#offerSoon()
    void this.#endWhenIdle()
  }

  // ---- what is heard

  #wanted(message: WantMessage | undefined): void {
    if (message === undefined || !this.#wants.hear(message)) return
    if (message.recall !== undefined) this.#share()
    this.#offerSoon()
  }

  #receive(subject: string, data: Uint8Array, reply: string): void {
    const [, , kind, id] = subject.split(".") as [string, string, string, string?]
    if (kind === "ping") return this.#bus.answer(reply)
    if (kind === "interrupt") {
      return this.#bus.answer(reply, this.#kept.interrupt(parse<InterruptMessage>(data)!) ? "mine" : "")
    }
    if (kind === "take") return this.#taken(parse<TakeMessage>(data))
    if (kind !== "d") return
    const lease = this.#leases.get(id!)
    if (lease !== undefined) {
      this.#clients.heard(lease.client)
      lease.data(data)
    } else if (!isGone(data)) this.#bus.publish(`cl.${id!.slice(0, id!.lastIndexOf("-"))}.d.${this.id}.${id}`, gone())
  }

  #taken(message: TakeMessage | undefined): void {
    if (message === undefined) return
    const { argv, client, env, execArgv, idleTimeoutMs = Infinity, lease: id, offer, root: callerRoot } = message
    // The client says it again when it has heard no answer.
    const lease = this.#leases.get(id) ?? this.#leases.get(offer)
    if (lease === undefined) return this.#bus.publish(`cl.${client}.d.${this.id}.${id}`, gone())
    this.#keptTurnAt = undefined
    this.#wants.delete(id)
    this.#clients.heard(client)
    if (!lease.isRunning) {
      this.#leases.delete(offer)
      lease.id = id
      this.#leases.set(id, lease)
      const environment: Record<string, string> = { ...process.env as Record<string, string> }
      for (const [name, value] of Object.entries(env)) {
        if (value === null) delete environment[name]
        else environment[name] = value
      }
      environment[WORKER_VARIABLE] = JSON.stringify({ ...this.#code, callerRoot } satisfies CodeOptions)
      lease.idleTimeoutMs = idleTimeoutMs
      lease.start({
        entry,
        execArgv: [...inheritedExecArgv(), ...execArgv],
        argv,
        env: environment,
        watchdog: this.#watchdog
      })
    }
    const { marks, pid } = lease
    this.#bus.tell(
      `cl.${client}.placed`,
      { lease: id, engine: this.id, pid, marks } satisfies PlacedMessage
    )
  }

  // ---- offers

  #offerSoon(): void {
    this.#offering ??= setTimeout(() => {
      this.#offering = undefined
      this.#offer()
    }, RESERVE * this.#leases.size / this.#options.slots)
  }

  #offer(): void {
    if (this.#state !== "open") return
    const waiting = this.#wants.waiting().filter(({ lease }) => !this.#leases.has(lease))
    // An executor that wishes for nothing starts anew.
    const owners = new Set(waiting.map(({ owner }) => owner))
    for (const owner of this.#offeredAt.keys()) if (!owners.has(owner)) this.#offeredAt.delete(owner)
    while (waiting.length > 0 && this.#leases.size + this.#kept.size < this.#options.slots) {
      // The executor that holds least in the cluster comes first; among equals, the one that this engine has not offered to for longest: an executor may
      // have any number of older wishes.
      const held = this.#held()
      const heldBy = (owner: string): number => this.#wants.heldBy(owner) ?? held.get(owner) ?? 0
      const offeredAt = (owner: string): number => this.#offeredAt.get(owner) ?? -1
      const want = waiting.reduce((a, b) => {
        const more = heldBy(a.owner) - heldBy(b.owner)
        return more > 0 || (more === 0 && offeredAt(b.owner) < offeredAt(a.owner)) ? b : a
      })
      // The calls of named clients count as one more executor that waits.
      if (this.#kept.waitingSince !== undefined && this.#isKeptTurn(held.get(want.owner) ?? 0)) return
      waiting.splice(waiting.indexOf(want), 1)
      const { client, lease, owner } = want
      const offer = `offer${++this.#offerCount}`
      this.#leases.set(offer, new Lease(offer, client, owner, this))
      want.quietUntil = performance.now() + 2 * OFFER
      this.#offeredAt.set(owner, performance.now())
      this.#bus.tell(`cl.${client}.offer`, { offer, lease, engine: this.id, host: hostname() } satisfies OfferMessage)
    }
  }

  // ---- time

  /** Sends a heartbeat now, or once the last one is `BEAT_AGAIN_MS` old. */
  #beatSoon(): void {
    if (this.#beatTimer !== undefined) return
    const wait = this.#beatAt + BEAT_AGAIN_MS - performance.now()
    if (wait <= 0) return this.#beat()
    this.#beatTimer = setTimeout(() => this.#beat(), wait)
  }

  #beat(): void {
    if (this.#state === "ended") return
    clearTimeout(this.#beatTimer)
    this.#beatTimer = undefined
    this.#beatAt = performance.now()
    const born = bornAt(process.pid) ?? ""
    const message = { ...this.info, born, held: this.#heldFor(), receipts: this.#kept.receipts } satisfies BeatMessage
    this.#bus.tell(`hb.${this.id}`, message)
  }

  #tick(): void {
    const now = performance.now()
    const isAway = this.#bus.since === undefined
    for (const lease of this.#leases.values()) {
      if (!lease.isRunning && now - lease.since > OFFER) lease.drop()
      else lease.tick()
      if (isAway) lease.endIfIdle()
    }
    this.#share()
    this.#offerSoon()
  }

  /** Slots for calls of named clients: none while somebody waits who has fewer than they have. */
  #freeForKept(): number {
    if (this.#state !== "open") return 0
    const held = this.#held()
    const isTheirTurn = this.#wants.waiting().every(({ owner }) => this.#isKeptTurn(held.get(owner) ?? 0))
    return isTheirTurn ? this.#options.slots - this.#leases.size - this.#kept.size : 0
  }

  /** Whether the next slot is for calls of named clients, given that a waiting executor holds `held` slots here. Equals take turns of `FAIR_MS`. */
  #isKeptTurn(held: number): boolean {
    const { size } = this.#kept
    if (size !== held) return size < held
    this.#keptTurnAt ??= performance.now()
    return performance.now() - this.#keptTurnAt < FAIR_MS
  }

  #leasesOf(client: string): Array<Lease> {
    return [...this.#leases.values()].filter((lease) => lease.client === client)
  }

  /** Slots by executor, and for how long. */
  #heldFor(): Record<string, HeldSlots> {
    const now = performance.now()
    const held: Record<string, HeldSlots> = {}
    for (const { isRunning, owner, recalled, since } of this.#leases.values()) {
      if (!isRunning || recalled) continue
      const { count, forMs } = held[owner] ?? { count: 0, forMs: 0 }
      held[owner] = { count: count + 1, forMs: Math.max(forMs, Math.round(now - since)) }
    }
    return held
  }

  /** Slots by executor. */
  #held(): Map<string, number> {
    const held = new Map<string, number>()
    for (const { owner } of this.#leases.values()) held.set(owner, (held.get(owner) ?? 0) + 1)
    return held
  }

  /**
   * Recalls slots for waiting executors: unused slots; a slot of an executor that a client named, since it holds more than its share in the cluster; and,
   * for calls of named clients, a slot of the executor that holds most here. A running call is never ended for this.
   */
  #share(): void {
    const now = performance.now()
    const leases = [...this.#leases.values()]
    if (leases.length + this.#kept.size < this.#options.slots) return
    const spares = leases.filter((lease) => !lease.recalled && lease.isRunning && now - lease.since >= FAIR_MS)
    if (spares.length === 0) return
    const held = this.#held()
    const oldest = (isSpare: (lease: Lease) => boolean): Lease | undefined =>
      spares.filter(isSpare).reduce<Lease | undefined>(
        (a, b) => a === undefined || b.since < a.since ? b : a,
        undefined
      )
    const recall = (lease: Lease | undefined): void => {
      if (lease === undefined) return
      spares.splice(spares.indexOf(lease), 1)
      lease.recall()
    }
    const { size, waitingSince } = this.#kept
    if (waitingSince !== undefined && now - waitingSince >= FAIR_MS) {
      // One that has none here is served in turn with executors that have as few.
      const most = Math.max(...spares.map(({ owner }) => held.get(owner)!))
      recall(oldest(({ movedAt, owner }) => {
        const isMore = held.get(owner) === most && (most > size + 1 || size === 0)
        return isMore || now - movedAt > IDLE
      }))
    }
    for (const want of this.#wants.waiting()) {
      const { owner, recallFrom, since } = want
      const idle = now - since < FAIR_MS
        ? undefined
        : oldest((lease) => lease.owner !== owner && now - lease.movedAt > IDLE)
      const asked = recallFrom === undefined ? undefined : oldest((lease) => lease.owner === recallFrom)
      if (asked !== undefined) want.recallFrom = undefined
      recall(idle ?? asked)
    }
  }

  #back(): void {
    this.#beat()
    for (const lease of this.#leases.values()) lease.resync()
  }

  async #endWhenIdle(): Promise<void> {
    if (this.#leases.size === 0 && this.#kept.size === 0) await this.#close()
  }

  async #close(): Promise<void> {
    if (this.#state !== "draining") return
    this.#state = "ended"
    clearTimeout(this.#patience)
    clearInterval(this.#beats)
    clearTimeout(this.#beatTimer)
    clearInterval(this.#ticks)
    clearTimeout(this.#offering)
    this.#clients.close()
    this.#bus.publish(`bye.${this.id}`)
    await this.#bus.close()
    this.#resolveDone()
  }
}
