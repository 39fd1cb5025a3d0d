/** What running calls of named clients say, told to whoever is there under that name. Nothing of it is kept. */
import { encodeFrame } from "@futures/core/Backend"
import type { Bus } from "../wire/Bus.ts"
import { longestMessage } from "../wire/pieces.ts"
import type { Head, StoredCall } from "../wire/streams.ts"

/** How long the client may take to show what a task wrote, in milliseconds; then it is shown here. */
const SHOWN = 1_000

/** Tells what a call reports of its progress. */
export const tellProgress = (bus: Bus, call: StoredCall | Head, value: unknown): void => {
  const bytes = encodeFrame([value])
  if (bytes.length <= longestMessage(bus)) return bus.publish(`cl.${call.client}.progress.${call.id}`, bytes)
  const why = `longer than a message of the broker (${longestMessage(bus)})`
  tellOutput(bus, call, 2, `A report of progress of ${bytes.length} bytes is ${why} and was not told\n`)
}

/** Tells what a call writes to stdout (1) or stderr (2); what nobody shows goes to this process's own. */
export const tellOutput = (
  bus: Bus,
  { client, id }: StoredCall | Head,
  stream: 1 | 2,
  text: Uint8Array | string
): void => {
  const bytes = typeof text === "string" ? Buffer.from(text) : text
  const size = longestMessage(bus)
  for (let at = 0; at < bytes.length; at += size) {
    void show(bus, `cl.${client}.output.${id}.${stream}`, stream, bytes.subarray(at, at + size))
  }
}

const show = async (bus: Bus, subject: string, stream: 1 | 2, chunk: Uint8Array): Promise<void> => {
  if (await bus.probe(subject, SHOWN, chunk) !== "answered") {
    ;(stream === 1 ? process.stdout : process.stderr).write(chunk)
  }
}
