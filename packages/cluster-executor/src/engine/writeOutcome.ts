/** How a call of a named client ended, written down: the first outcome stands. */
import { cannotBeSent, encodeError, frames, OversizedFrameError } from "@futures/core/Backend"
import type { JetStreamClient } from "@nats-io/jetstream"
import type { Bus } from "../wire/Bus.ts"
import { LONGEST, recordOf } from "../wire/pieces.ts"
import { put, STANDS } from "../wire/put.ts"
import { encode, subjectOf } from "../wire/streams.ts"
import type { StoredOutcome } from "../wire/streams.ts"

/** Resolves when there is an outcome, this one or one before it; or when the connection was closed. */
export const writeOutcome = async (bus: Bus, jetstream: JetStreamClient, outcome: StoredOutcome): Promise<void> => {
  const isOver = () => bus.nats.isClosed()
  const record = await recordOf(bus, jetstream, "res", outcome, fitting(outcome), { isOver })
  if (record === undefined) return
  const { after, client, id } = outcome
  const subject = subjectOf(bus, `res.${client}.${id}`)
  await put(jetstream, subject, record, { isOver, unless: STANDS, expect: { lastSubjectSequence: after } })
}

/** The arguments are kept beside the result if there is room; a result that is longer than can be kept is told of instead. */
const fitting = (outcome: StoredOutcome): Uint8Array => {
  const whole = encode(outcome)
  if (whole.length <= LONGEST) return whole
  const bare = { ...outcome, args: undefined }
  const bytes = encode(bare)
  if (bytes.length <= LONGEST) return bytes
  const error = cannotBeSent(new OversizedFrameError(bytes.length, LONGEST), "result", "result")
  return encode({ ...bare, status: frames.Status.Refused, value: encodeError(error, { sharesMemory: false }) })
}
