/** Conditions of the link between a caller and its workers: it is far, uneven or narrow. */
import type { ExecutorClass } from "@futures/core"
import type { Trial } from "../Trial.ts"
import type { Operation, Performed } from "./operations.ts"
import { perform } from "./operations.ts"
import type { LinkConditions } from "./proxy.ts"
import { scene, TIMEOUT_MS, verify } from "./scene.ts"

/** An executor whose frames cross a link. */
export interface Linked {
  /** The class of the executors whose frames cross the link. */
  readonly executor: ExecutorClass
  /** Closes the link. */
  readonly close: () => Promise<void>
}

/** Opens a link with these conditions between the caller and its workers. */
export type OpenLink = (conditions: LinkConditions) => Promise<Linked>

/** The rows about links, by name. */
export const links: Readonly<Record<string, LinkConditions>> = {
  "The link takes 10 ms each way": { delayMs: 10 },
  "The link takes 40 ms each way": { delayMs: 40 },
  "The link takes 10 to 30 ms each way": { delayMs: 10, jitterMs: 20 },
  "The link carries 1 MB a second": { bytesPerSecond: 1_000_000 }
}

/** Performs an operation over a link. */
export const over = async (
  trial: Trial,
  operation: Operation,
  conditions: LinkConditions,
  open: OpenLink
): Promise<Performed> => {
  const { notebook, stage } = await scene(trial, TIMEOUT_MS)
  const { close, executor } = await open(conditions)
  try {
    return verify(operation, notebook, await perform(operation, stage, (options) => new executor(options)))
  } finally {
    await close()
  }
}
