/** Writing to streams, whatever becomes of the broker meanwhile. */
import { JetStreamApiError } from "@nats-io/jetstream"
import type { JetStreamClient, JetStreamPublishOptions } from "@nats-io/jetstream"
import { setTimeout as sleep } from "node:timers/promises"

/** A pause before the broker is tried again, in milliseconds. */
export const AGAIN = 100

/** `wrong last sequence`: there is an outcome already. */
export const STANDS = 10071
/** The stream takes no more. */
export const FULL = 10077

export interface PutOptions extends Partial<JetStreamPublishOptions> {
  /** Whether it is given up. */
  readonly isOver: () => boolean
  /** The broker's code that is an answer, and no reason to try again. */
  readonly unless?: number
}

/** Publishes until the broker has it. Answers with its sequence, with `"refused"` for the code `unless`, and with `undefined` when it was given up. */
export const put = async (
  jetstream: JetStreamClient,
  subject: string,
  bytes: Uint8Array,
  { isOver, unless, ...options }: PutOptions
): Promise<number | "refused" | undefined> => {
  while (!isOver()) {
    try {
      return (await jetstream.publish(subject, bytes, options)).seq
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === unless) return "refused"
      await sleep(AGAIN)
    }
  }
  return undefined
}
