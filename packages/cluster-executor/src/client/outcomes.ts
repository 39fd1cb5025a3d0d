/** How calls of a named client ended, as the broker keeps it. */
import type { JetStreamManager } from "@nats-io/jetstream"
import type { Bus } from "../wire/Bus.ts"
import { readPieces } from "../wire/pieces.ts"
import { decode, ensureStreams, isHead, streamName, subjectOf } from "../wire/streams.ts"
import type { Head, StoredOutcome } from "../wire/streams.ts"

/** An outcome as it was found. */
export interface Found {
  readonly stored: StoredOutcome | Head
  /** Where it stands among all. */
  readonly sequence: number
}

/** The latest outcome of a call; `undefined` when the broker has none. Rejects when it does not answer. */
export const findOutcome = async (
  bus: Bus,
  manager: JetStreamManager,
  client: string,
  id: number
): Promise<Found | undefined> => {
  const subject = subjectOf(bus, `res.${client}.${id}`)
  const message = await manager.streams.getMessage(streamName(bus, "RES"), { last_by_subj: subject })
  return message === null ? undefined : { stored: decode<StoredOutcome>(message.data), sequence: message.seq }
}

/** With its pieces, if it has any. Rejects with `NotPortableError` when they are not there, or not whole; otherwise with why the broker does not answer. */
export const wholeOutcome = async (
  bus: Bus,
  manager: JetStreamManager,
  stored: StoredOutcome | Head
): Promise<StoredOutcome> =>
  isHead(stored)
    ? decode<StoredOutcome>(await readPieces(bus, manager, "res", stored)) as StoredOutcome
    : stored

/** How a call ended; `undefined` when the broker does not know of it. */
export const readOutcome = async (bus: Bus, client: string, id: number): Promise<StoredOutcome | undefined> => {
  const manager = await ensureStreams(bus)
  const found = await findOutcome(bus, manager, client, id)
  return found === undefined ? undefined : wholeOutcome(bus, manager, found.stored)
}
