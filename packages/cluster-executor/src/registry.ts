/**
 * The engines that live, as they tell it themselves.
 *
 * ```
 * unknown ──▶ living ──▶ gone        it said so, or somebody saw it end; nobody listens under its name; or it was silent for too long
 * gone ──▶ living                    it was only silent, and speaks again
 * ```
 *
 * Silence is counted by `Liveness`: not while this program, or the broker, stood still.
 */
import { timers } from "@futures/core/Backend"
import { jetstreamManager } from "@nats-io/jetstream"
import type { Connection } from "./broker/credentials.ts"
import type { EngineExit } from "./engine/spawnEngine.ts"
import { Liveness, observing } from "./Liveness.ts"
import { isHeldUp } from "./processState.ts"
import { Bus, parse } from "./wire/Bus.ts"
import type { BeatMessage, EngineInfo, HeldSlots } from "./wire/messages.ts"
import { streamName } from "./wire/streams.ts"

const { clearTimeout, performance, setTimeout, wallClock } = timers

/** How often an engine tells how it is, in milliseconds. */
export const BEAT = 400
const LOOK_MS = 150
const LIMITS = { quietMs: 700, nobodyMs: 400, silentMs: 3_500, settleMs: 2_000, stepMs: 2 * LOOK_MS }
/** From this silence on the broker must answer as well, for the clock to go on. */
const ASK_MS = 1.5 * BEAT
/** An engine on this machine that exists and is held up (stopped, in a debugger) is waited for this long. */
const HELD_UP_MS = 60_000

/** An engine, and when it was last heard of, in milliseconds since the epoch. */
export interface Engine extends EngineInfo {
  /** When it last told how it is, in milliseconds since the epoch. */
  readonly lastHeartbeat: number
  /** `false` while the broker is away from this program: what is known of the engine is from before, and it may have ended. */
  readonly isConnected: boolean
}

/** `"exit"`: it has ended. `"silence"`: it lives, or not; nobody knows. */
export type GoneReason = "exit" | "silence"

/** An engine came, or went; or the broker did, as this program sees it. */
export type EngineChange =
  | { readonly type: "join"; readonly engine: Engine }
  | {
    readonly type: "leave"
    readonly engine: Engine
    readonly reason: GoneReason
    /** How its process ended, where this program started it. */
    readonly exit?: EngineExit | undefined
  }
  /** The connection to the broker is lost. It is tried again until it is closed; until then no engine is known to be alive. */
  | { readonly type: "disconnect" }
  /** The connection is back. */
  | { readonly type: "reconnect" }

interface Entry {
  engine: Engine
  receipts: ReadonlyArray<string>
  born: string
  held: Readonly<Record<string, HeldSlots>>
}

export class Registry {
  readonly #bus: Bus
  readonly #entries = new Map<string, Entry>()
  readonly #followers = new Set<(change: EngineChange) => void>()
  readonly #liveness = new Liveness(LIMITS, performance.now())
  readonly #stopLooking: () => void

  constructor(bus: Bus) {
    this.#bus = bus
    bus.subscribe("hb.*", (_, data) => this.#heard(data))
    bus.subscribe("bye.*", (subject) => this.#leave(subject.slice(subject.indexOf(".") + 1), "exit"))
    bus.back.add(() => {
      this.#tell({ type: "reconnect" })
      this.#bus.publish("who")
    })
    bus.away.add(() => this.#tell({ type: "disconnect" }))
    this.#stopLooking = observing(bus, this.#liveness, { askMs: ASK_MS, everyMs: LOOK_MS }, () => this.#look())
    bus.publish("who")
  }

  /** Whether it has listened for so long that it knows all engines. */
  get hasHeard(): boolean {
    const { since } = this.#bus
    return since !== undefined && performance.now() - since > 2 * BEAT
  }

  engines(): Array<Engine> {
    const isConnected = this.#bus.since !== undefined
    return Array.from(this.#entries.values(), ({ engine }) => isConnected ? engine : { ...engine, isConnected })
  }

  find(id: string): Engine | undefined {
    return this.#entries.get(id)?.engine
  }

  /** An engine that this program started has ended. */
  exited(id: string, exit: EngineExit): void {
    this.#leave(id, "exit", exit)
  }

  /** Something came from an engine: it lives, though its heartbeats may be behind much else. */
  lives(id: string): void {
    this.#liveness.heardOfKnown(id)
  }

  /** Slots by engine and executor, from the last heartbeats. */
  *held(): Iterable<readonly [engine: Engine, held: Readonly<Record<string, HeldSlots>>]> {
    for (const { engine, held } of this.#entries.values()) yield [engine, held]
  }

  /** Tells of each that joins or leaves, until the answer is called. */
  follow(follower: (change: EngineChange) => void): () => void {
    this.#followers.add(follower)
    return () => void this.#followers.delete(follower)
  }

  /** Resolves when so many engines live; `false` when they do not within the time. */
  waitFor(count: number, timeout: number): Promise<boolean> {
    if (this.#entries.size >= count) return Promise.resolve(true)
    return new Promise((resolve) => {
      const end = (enough: boolean): void => {
        clearTimeout(timer)
        unfollow()
        resolve(enough)
      }
      const timer = setTimeout(() => end(false), Math.min(timeout, 2 ** 31 - 1))
      const unfollow = this.follow(() => {
        if (this.#entries.size >= count) end(true)
      })
    })
  }

  close(): void {
    this.#stopLooking()
    this.#followers.clear()
  }

  #heard(data: Uint8Array): void {
    const beat = parse<BeatMessage>(data)
    if (typeof beat?.id !== "string") return
    const { born = "", held = {}, receipts, ...info } = beat
    const entry = this.#entries.get(info.id)
    const engine = { ...info, lastHeartbeat: wallClock(), isConnected: true }
    // Another process under the same name: the one before has ended.
    if (entry !== undefined && entry.engine.pid !== info.pid) this.#leave(info.id, "exit")
    this.#liveness.heard(info.id)
    const isNew = !this.#entries.has(info.id)
    this.#entries.set(info.id, { engine, receipts, born, held })
    if (!isNew) return
    this.#tell({ type: "join", engine })
  }

  #leave(id: string, reason: GoneReason, exit?: EngineExit): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#entries.delete(id)
    this.#liveness.forget(id)
    // The calls that it had go back to the queue now, instead of when the broker has waited long enough.
    for (const receipt of entry.receipts) this.#bus.nats.publish(receipt, "-NAK")
    this.#tell({ type: "leave", engine: entry.engine, reason, ...(exit !== undefined && { exit }) })
  }

  #tell(change: EngineChange): void {
    for (const follower of this.#followers) follower(change)
  }

  #look(): void {
    for (const id of this.#liveness.silent()) {
      const { born, engine } = this.#entries.get(id)!
      if (isHeldUp({ ...engine, born }) && this.#liveness.spare(id, HELD_UP_MS)) continue
      this.#leave(id, "silence")
    }
    for (const id of this.#liveness.toProbe()) void this.#probe(id)
  }

  async #probe(id: string): Promise<void> {
    const entry = this.#entries.get(id)!.engine.pid
    const { since } = this.#bus
    const answer = await this.#bus.probe(`eng.${id}.ping`, LIMITS.quietMs)
    const isTheSame = this.#bus.since === since && this.#entries.get(id)?.engine.pid === entry
    if (this.#liveness.probed(id, isTheSame ? answer : "silence")) this.#leave(id, "exit")
  }
}

/** The engines of a broker, for those who only look. */
export interface OpenRegistry extends AsyncDisposable {
  /** Those that live. */
  readonly engines: () => ReadonlyArray<Engine>
  /** Those that are there already join first. */
  readonly changes: () => AsyncIterableIterator<EngineChange>
  /** Calls of named clients that wait for an engine, or run. */
  readonly queued: () => Promise<number>
  /** Stops listening. */
  readonly close: () => Promise<void>
}

/** How long a registry that was just opened listens before it answers, in milliseconds: engines that live have told by then. */
const FIRST = 250

/** Rejects with `BrokerError` when the broker cannot be reached. */
export const openRegistry = async (connection: Connection): Promise<OpenRegistry> => {
  const bus = await Bus.connect(connection, "futures registry")
  const registry = new Registry(bus)
  await registry.waitFor(Infinity, FIRST)
  const close = async (): Promise<void> => {
    registry.close()
    await bus.close()
  }
  const queued = async (): Promise<number> => {
    const manager = await jetstreamManager(bus.nats)
    const stream = await manager.streams.info(streamName(bus, "CALLS")).catch(() => undefined)
    return stream?.state.messages ?? 0
  }
  return {
    engines: () => registry.engines(),
    changes: () => changesOf(registry),
    queued,
    close,
    [Symbol.asyncDispose]: close
  }
}

/** Joins and leaves as they come, those that are there first. */
export const changesOf = (registry: Registry): AsyncIterableIterator<EngineChange> => {
  const waiting: Array<EngineChange> = registry.engines().map((engine) => ({ type: "join", engine }))
  const state = { ended: false }
  let wake: (() => void) | undefined
  const unfollow = registry.follow((change) => {
    waiting.push(change)
    wake?.()
  })
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      while (waiting.length === 0 && !state.ended) await new Promise<void>((resolve) => wake = resolve)
      return state.ended ? { done: true, value: undefined } : { done: false, value: waiting.shift()! }
    },
    async return() {
      state.ended = true
      unfollow()
      wake?.()
      return { done: true, value: undefined }
    }
  }
}
