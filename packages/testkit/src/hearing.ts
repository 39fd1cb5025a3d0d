/** What executors tell on `node:diagnostics_channel`, heard by a law. */
import type { ExecutorEvents } from "@futures/core"
import { subscribe, unsubscribe } from "node:diagnostics_channel"

const channels: ReadonlyArray<keyof ExecutorEvents> = [
  "futures:call:submit",
  "futures:call:start",
  "futures:call:retry",
  "futures:call:settle",
  "futures:worker:start",
  "futures:worker:ready",
  "futures:worker:exit"
]

/** An event, with the channel that it was told on. */
export type Heard = { readonly [K in keyof ExecutorEvents]: ExecutorEvents[K] & { readonly channel: K } }[
  keyof ExecutorEvents
]

/** Hears meanwhile what the executor of a name tells. */
export const hearing = async (
  name: string,
  body: (heard: ReadonlyArray<Heard>) => Promise<void>
): Promise<ReadonlyArray<Heard>> => {
  const heard: Array<Heard> = []
  const listener = (event: unknown, channel: string | symbol): void => {
    const told = { ...event as object, channel } as Heard
    if (told.executor.name === name) heard.push(told)
  }
  for (const channel of channels) subscribe(channel, listener)
  try {
    await body(heard)
  } finally {
    for (const channel of channels) unsubscribe(channel, listener)
  }
  return heard
}

/** What was told of one kind. */
export const of = <K extends keyof ExecutorEvents>(
  heard: ReadonlyArray<Heard>,
  channel: K
): ReadonlyArray<ExecutorEvents[K]> => heard.filter((event) => event.channel === channel) as never
