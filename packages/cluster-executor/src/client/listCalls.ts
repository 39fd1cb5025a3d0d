/** Lists the calls of a named client: pending ones, and settled ones while the broker keeps their outcome. */
import { frames } from "@futures/core/Backend"
import type { JetStreamManager } from "@nats-io/jetstream"
import type { Bus } from "../wire/Bus.ts"
import { decode, ensureStreams, isHead, labelOf, streamName, subjectOf } from "../wire/streams.ts"
import type { Head, StoredCall, StoredOutcome } from "../wire/streams.ts"

/** A call of a named client, as the broker knows it. */
export interface KeptCall {
  /** For `cluster.future(id)` and `cluster.resubmit(id)`. */
  readonly id: number
  /** The label given with `Task.with`; otherwise the task's name. */
  readonly label: string
  /** The task's name within its module. */
  readonly task: string
  /** `"pending"`: it is not done; it waits, or runs. For a long outcome, which is kept in pieces, `"done"`: how it ended is read with `cluster.future(id)`. */
  readonly state: "pending" | "succeeded" | "failed" | "cancelled" | "done"
}

/** Calls that are read at a time. */
const AT_A_TIME = 64

const { Status } = frames

const stateOf = (stored: StoredOutcome | Head): KeptCall["state"] => {
  if (isHead(stored)) return "done"
  if (stored.status === Status.Succeeded) return "succeeded"
  return stored.status === Status.Interrupted ? "cancelled" : "failed"
}

/** The subjects of a stream that match, by the id that they end with. */
const subjectsById = async (
  manager: JetStreamManager,
  stream: string,
  filter: string
): Promise<Map<number, string>> => {
  const { state } = await manager.streams.info(stream, { subjects_filter: filter })
  return new Map(
    Object.keys(state.subjects ?? {}).map((subject) => [
      Number(subject.slice(subject.lastIndexOf(".") + 1)),
      subject
    ])
  )
}

/** In the order of their ids, each once. */
export async function* listCalls(bus: Bus, client: string, label: string | undefined): AsyncGenerator<KeptCall> {
  const manager = await ensureStreams(bus)
  const [calls, outcomes] = [streamName(bus, "CALLS"), streamName(bus, "RES")]
  // A call that is done in between is in both.
  const pending = await subjectsById(manager, calls, subjectOf(bus, `call.*.${client}.*`))
  const done = await subjectsById(manager, outcomes, subjectOf(bus, `res.${client}.*`))
  const find = async (stream: string, subject: string | undefined) =>
    subject === undefined ? null : manager.streams.getMessage(stream, { last_by_subj: subject })
  const read = async (id: number): Promise<KeptCall | undefined> => {
    const call = await find(calls, pending.get(id))
    const outcome = await find(outcomes, done.get(id))
    const waiting = call === null ? undefined : decode<StoredCall>(call.data)
    // Of an attempt before, where the call waits for its next one; of this one, where it is just being taken out of the queue.
    const isDone = outcome !== null && (waiting === undefined || outcome.seq > waiting.after)
    const stored = isDone ? decode<StoredOutcome>(outcome.data) : waiting
    if (stored === undefined) return undefined
    const state = isDone ? stateOf(stored as StoredOutcome | Head) : "pending"
    return { id, label: labelOf(stored), task: stored.name, state }
  }
  const ids = [...new Set([...pending.keys(), ...done.keys()])].toSorted((a, b) => a - b)
  for (let at = 0; at < ids.length; at += AT_A_TIME) {
    for (const call of await Promise.all(ids.slice(at, at + AT_A_TIME).map(read))) {
      if (call !== undefined && (label === undefined || call.label === label)) yield call
    }
  }
}
