/**
 * Calls that outlive their client: each is written to the broker when it is handed in, and run by whatever engine pulls it. Its outcome is read from the
 * broker, whenever somebody asks.
 *
 * To the executor it is one worker that takes everything, and queues by itself.
 */
import { timers } from "@futures/core/Backend"
import type { Backend } from "@futures/core/Backend"
import { locator } from "../code.ts"
import { KeptCallsLink } from "./KeptCallsLink.ts"
import type { KeptCallsOptions } from "./KeptCallsLink.ts"

let lastCall = 0

/** Calls are numbered by the time, whatever executor of this program they go to: no two have the same, however often a client is started. */
const nextCall = (): number => lastCall = Math.max(lastCall + 1, timers.wallClock() * 1_024)

export const keptCalls = (options: KeptCallsOptions): Backend => ({
  name: "cluster",
  sharesMemory: false,
  remote: true,
  queueTimeoutExpected:
    "left out, for a named client: its calls wait for an engine also while nobody could tell that their time is over",
  single: true,
  close: options.close,
  locate: locator(options.root, options.otherRoot),
  nextCall,
  spawn: (_, events) => new KeptCallsLink(options, events)
})
