/**
 * What is longer than one message of the broker, in pieces: they are written first, then the record that names them, and read when that is read.
 *
 * ```
 * args.<client>.<id>.<after>.<hash>.<n>    of a call, removed when its outcome is written
 * res.<client>.<id>.<after>.<hash>.<n>     of an outcome, gone when that is
 * ```
 *
 * Two engines that ran the same call write pieces of different names: those count that the first outcome names.
 */
import { NotPortableError } from "@futures/core"
import type { PortableSide } from "@futures/core"
import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream"
import { createHash } from "node:crypto"
import type { Bus } from "./Bus.ts"
import { put } from "./put.ts"
import type { PutOptions } from "./put.ts"
import { encode, headOf, streamName, subjectOf } from "./streams.ts"
import type { Head, StoredCall } from "./streams.ts"

/** What a record says of its pieces. */
export interface Pieces {
  readonly count: number
  /** Bytes of all. */
  readonly length: number
  /** Of all bytes, in hexadecimal. */
  readonly sha256: string
}

/** The most that a call, or an outcome with its call, may be, in bytes. */
export const LONGEST = 2 ** 30
/** A piece is so long at most: the broker prefers more messages to longer ones. */
const PIECE = 2 ** 20
/** What travels with a message beside it counts in the broker's limit: so many bytes at most. */
const HEADERS = 512

/** How long a record may be that is kept in one message, in bytes. */
export const longestMessage = (bus: Bus): number => bus.maxPayload - HEADERS

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

/** Names the call that pieces are of. */
type Owner = Pick<StoredCall, "client" | "id" | "after">
type Kind = "args" | "res"

const below = (bus: Bus, kind: Kind, { after, client, id }: Owner): string =>
  subjectOf(bus, `${kind}.${client}.${id}.${after}`)

const pieceOf = (bus: Bus, kind: Kind, owner: Owner, { sha256 }: Pieces, index: number): string =>
  `${below(bus, kind, owner)}.${sha256.slice(0, 16)}.${index}`

/**
 * What is to be published of a call, or of an outcome: its bytes; or, if no message holds those, a head, and its pieces are written then. `undefined` when it
 * was given up.
 */
export const recordOf = async (
  bus: Bus,
  jetstream: JetStreamClient,
  kind: Kind,
  stored: Omit<Head, "pieces">,
  bytes: Uint8Array,
  options: PutOptions
): Promise<Uint8Array | undefined> => {
  if (bytes.length <= longestMessage(bus)) return bytes
  const size = Math.min(PIECE, longestMessage(bus))
  const pieces: Pieces = { count: Math.ceil(bytes.length / size), length: bytes.length, sha256: hashOf(bytes) }
  for (let index = 0; index < pieces.count; index++) {
    const piece = bytes.subarray(index * size, (index + 1) * size)
    if (await put(jetstream, pieceOf(bus, kind, stored, pieces, index), piece, options) === undefined) return undefined
  }
  return encode(headOf(stored, pieces))
}

const WHERE = {
  args: { path: "args", side: "argument" },
  res: { path: "result", side: "result" }
} as const satisfies Record<Kind, { readonly path: string; readonly side: PortableSide }>

/** Puts pieces together. Rejects with `NotPortableError` when one is missing or they are not what was written; otherwise with why the broker does not answer. */
export const readPieces = async (
  bus: Bus,
  manager: JetStreamManager,
  kind: Kind,
  head: Head
): Promise<Uint8Array> => {
  const { pieces } = head
  const stream = streamName(bus, kind === "args" ? "ARGS" : "RES")
  const parts: Array<Uint8Array> = []
  const lost = (what: string) =>
    new NotPortableError({ ...WHERE[kind], value: `${pieces.length} bytes in ${pieces.count} pieces, ${what}` })
  for (let index = 0; index < pieces.count; index++) {
    const query = { last_by_subj: pieceOf(bus, kind, head, pieces, index) }
    // Any replica answers the first, without a detour through text; what it does not have yet the leader has.
    const piece = await manager.direct.getMessage(stream, query) ?? await manager.streams.getMessage(stream, query)
    if (piece === null) throw lost(`of which the broker does not have number ${index + 1} any more`)
    parts.push(piece.data)
  }
  const bytes = Buffer.concat(parts)
  if (hashOf(bytes) !== pieces.sha256) throw lost("which are not what was written: their SHA-256 differs")
  return bytes
}

/** Removes the pieces of a call. */
export const removeArgs = async (bus: Bus, manager: JetStreamManager, owner: Owner): Promise<void> => {
  await manager.streams.purge(streamName(bus, "ARGS"), { filter: `${below(bus, "args", owner)}.>` })
}
