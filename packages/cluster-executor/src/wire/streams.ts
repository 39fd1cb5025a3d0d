/**
 * What the broker keeps: calls of named clients until they are done, and how they ended until nobody may ask any more.
 *
 * ```
 * CF_<namespace>_CALLS    call.<pool>.<client>.<id>    until a call's outcome is written: a work queue, from which engines pull
 * CF_<namespace>_ARGS     args.<client>.<id>.>         the pieces of a call that is longer than a message: as long as it, and a week at most
 * CF_<namespace>_RES      res.<client>.<id>            the first outcome of each call, for a day, and its pieces
 * CF_<namespace>_DEAD     dead.<client>.<id>           calls that killed every engine they met, for a week
 * ```
 */
import { encodeFrame, encodeParts, FrameReader } from "@futures/core/Backend"
import type { Frame } from "@futures/core/Backend"
import { AckPolicy, DiscardPolicy, jetstreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream"
import type { JetStreamManager } from "@nats-io/jetstream"
import type { Bus } from "./Bus.ts"
import type { Pieces } from "./pieces.ts"

/** Calls of named clients that the broker keeps until they are done, at most, unless whoever makes the stream says otherwise. */
export const MOST_CALLS = 1_000_000
/** How long outcomes are kept, in milliseconds. */
export const RETENTION = 24 * 60 * 60 * 1_000
/**
 * An engine that has a call says again and again that it works on it; after this many milliseconds without a word another engine may have it. Clients that see
 * an engine gone give its calls back sooner. A cluster that is stopped for some seconds loses none: this clock is the broker's, and goes on meanwhile.
 */
export const ACK_WAIT = 20_000
const WEEK = 7 * RETENTION
/** Within so many milliseconds the same call is taken once, however often it is sent. */
const DUPLICATES = 120_000

const nanos = (millis: number): number => millis * 1e6

export const streamName = (bus: Bus, stream: "CALLS" | "ARGS" | "RES" | "DEAD"): string =>
  `CF_${bus.connection.namespace}_${stream}`

export const subjectOf = (bus: Bus, subject: string): string => `cf.${bus.connection.namespace}.${subject}`

const LABELS = "label-"

/** Which engines pull a call: all, those with all these labels, or one. A single word of a subject and of a consumer's name. */
export const poolOf = (labels: Readonly<Record<string, string>>, engine: string | undefined): string => {
  if (engine !== undefined) return `engine-${engine}`
  const wanted = Object.entries(labels).toSorted(([a], [b]) => a < b ? -1 : 1)
  return wanted.length === 0 ? "any" : `${LABELS}${Buffer.from(JSON.stringify(wanted)).toString("base64url")}`
}

/** Whether an engine pulls from a pool. */
export const isPoolOf = (pool: string, engine: string, labels: Readonly<Record<string, string>>): boolean => {
  if (!pool.startsWith(LABELS)) return pool === poolOf({}, undefined) || pool === poolOf({}, engine)
  try {
    const wanted = JSON.parse(Buffer.from(pool.slice(LABELS.length), "base64url").toString()) as Array<[string, string]>
    return wanted.every(([label, value]) => labels[label] === value)
  } catch {
    // Not one of ours.
    return false
  }
}

/** The pools that calls were ever handed in for. */
export const listPools = async (manager: JetStreamManager, bus: Bus): Promise<Array<string>> => {
  const pools: Array<string> = []
  for await (const { name } of manager.consumers.list(streamName(bus, "CALLS"))) pools.push(name)
  return pools
}

/** Where a call waits; `pool` may be `*`. */
export const callSubject = (bus: Bus, pool: string, client: string, id: number): string =>
  subjectOf(bus, `call.${pool}.${client}.${id}`)

/** What the streams are to keep, for whoever is the first to need them. */
export interface Limits {
  /** How long outcomes, in milliseconds. */
  readonly retention: number
  /** How many calls. */
  readonly maxKept: number
}

/** Makes the streams that are not there. */
export const ensureStreams = async (
  bus: Bus,
  { maxKept, retention }: Limits = { retention: RETENTION, maxKept: MOST_CALLS }
): Promise<JetStreamManager> => {
  const manager = await jetstreamManager(bus.nats)
  const file = { storage: StorageType.File, duplicate_window: nanos(DUPLICATES) }
  const streams = [
    {
      ...file,
      name: streamName(bus, "CALLS"),
      subjects: [subjectOf(bus, "call.>")],
      retention: RetentionPolicy.Workqueue,
      discard: DiscardPolicy.New,
      max_msgs: maxKept
    },
    {
      ...file,
      name: streamName(bus, "ARGS"),
      subjects: [subjectOf(bus, "args.>")],
      max_age: nanos(WEEK),
      allow_direct: true
    },
    {
      ...file,
      name: streamName(bus, "RES"),
      subjects: [subjectOf(bus, "res.>")],
      max_age: nanos(retention),
      allow_direct: true,
      // The broker refuses one that is longer than the age.
      duplicate_window: nanos(Math.min(DUPLICATES, retention))
    },
    { ...file, name: streamName(bus, "DEAD"), subjects: [subjectOf(bus, "dead.>")], max_age: nanos(WEEK) }
  ]
  for (const stream of streams) {
    try {
      await manager.streams.info(stream.name)
    } catch {
      await manager.streams.add(stream)
    }
  }
  return manager
}

/** Makes the queue of a pool. */
export const ensurePool = async (manager: JetStreamManager, bus: Bus, pool: string): Promise<void> => {
  await manager.consumers.add(streamName(bus, "CALLS"), {
    durable_name: pool,
    filter_subject: subjectOf(bus, `call.${pool}.>`),
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ACK_WAIT),
    max_ack_pending: -1
  })
}

/** What a call asks of its worker, as its executor's options say. */
export interface WorkerTerms {
  /** A call to make before any other. */
  readonly initializer?:
    | { readonly module: string; readonly name: string; readonly args: ReadonlyArray<unknown> }
    | undefined
  /** The task that restores a call's context. */
  readonly restore?: { readonly module: string; readonly name: string } | undefined
}

/** A call as the broker keeps it. */
export interface StoredCall {
  /** The name of the client that handed it in. */
  readonly client: string
  /** As `future.info.id`; unique among the calls of its client. */
  readonly id: number
  /** The task's module: its path below the root, and a hash of its code; or a package, its version, and a path in it. */
  readonly module: string
  /** The task's name within its module. */
  readonly name: string
  /** The arguments, as they were written. */
  readonly args: ReadonlyArray<unknown>
  /** What travels with the call: time-outs, tracing, the attempt. Of no use but to run it again. */
  readonly meta: unknown
  /** How often it may be started: once, or until it counts as poison. */
  readonly starts: number
  /** What it asks of its worker; `undefined` for nothing. */
  readonly terms?: WorkerTerms | undefined
  /** Where the outcome of the attempt before it stands among all outcomes; 0 for the first attempt. */
  readonly after: number
}

/** A call that killed the engines that it ran on, set aside to be looked at: what queues call a dead letter. */
export interface DeadLetter extends Omit<StoredCall, "args"> {
  /** `undefined` when they were longer than a message. */
  readonly args: ReadonlyArray<unknown> | undefined
}

/** How a call ended, with the call. */
export interface StoredOutcome extends Omit<StoredCall, "args"> {
  /** `undefined` when they could not be kept beside the result. */
  readonly args: ReadonlyArray<unknown> | undefined
  readonly status: number
  readonly value: unknown
  readonly ran: number
  readonly engine: string
  readonly host: string
  readonly startedAt: number
  readonly finishedAt: number
}

/** In place of a call, or of an outcome, that is longer than a message: what is known of it before its pieces are read. */
export interface Head extends Omit<StoredCall, "args" | "meta" | "terms"> {
  readonly pieces: Pieces
  /** The label given with `Task.with`. */
  readonly label?: string | undefined
}

/** The label given with `Task.with`; otherwise the task's name. */
export const labelOf = (stored: StoredCall | StoredOutcome | Head): string => givenLabel(stored) ?? stored.name

const givenLabel = (stored: object): string | undefined => {
  if ("label" in stored) return stored.label as string | undefined
  const meta = "meta" in stored ? stored.meta : undefined
  return typeof meta === "object" && meta !== null && "label" in meta ? meta.label as string | undefined : undefined
}

export const isHead = (stored: StoredCall | StoredOutcome | Head): stored is Head => "pieces" in stored

export const headOf = (of: Omit<Head, "pieces">, pieces: Pieces): Head => {
  const { after, client, id, module, name, starts } = of
  return { after, client, id, module, name, starts, pieces, label: givenLabel(of) }
}

/** Of any length: whoever writes a record compares that with its own limit. */
export const encode = (stored: StoredCall | StoredOutcome | DeadLetter | Head): Uint8Array =>
  Buffer.concat(encodeParts([stored], Infinity))

/** Throws for what is no record of ours. */
export const decode = <A extends StoredCall | StoredOutcome>(bytes: Uint8Array): A | Head => unpack(bytes) as A | Head

/** The value that was encoded alone in a frame. Throws for what is no frame. */
export const unpack = (bytes: Uint8Array): unknown => {
  let decoded: Frame | undefined
  let failure: Error | undefined
  new FrameReader((frame) => decoded = frame as Frame, (error) => failure = error).push(bytes)
  if (decoded === undefined) throw failure ?? new TypeError("A record is not whole")
  return decoded[0]
}

/** The calls that were kept aside, oldest first. */
export const readPoisoned = async (bus: Bus): Promise<Array<DeadLetter>> => {
  const manager = await ensureStreams(bus)
  const stream = streamName(bus, "DEAD")
  const { first_seq: first, last_seq: last } = (await manager.streams.info(stream)).state
  const calls: Array<DeadLetter> = []
  for (let seq = Math.max(first, 1); seq <= last; seq++) {
    const stored = await manager.streams.getMessage(stream, { seq })
    if (stored !== null) calls.push(unpack(stored.data) as DeadLetter)
  }
  return calls
}

/** A value as text, for a message in JSON. */
export const packed = (value: unknown): string => Buffer.from(encodeFrame([value])).toString("base64")

/** Throws for what `packed` did not make. */
export const unpacked = (text: string): unknown => unpack(Buffer.from(text, "base64"))
