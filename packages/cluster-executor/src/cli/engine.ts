/** `futures-cluster engine`: this host joins a cluster. */
import type * as Duration from "effect/Duration"
import { runEngine } from "../engine/runEngine.ts"
import type { EngineHandle } from "../engine/runEngine.ts"
import { askedToEnd } from "./ending.ts"
import { outputOf } from "./output.ts"
import { reach } from "./reach.ts"
import type { Reach } from "./reach.ts"

export interface EngineInput extends Reach {
  readonly slots: number | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly root: string | undefined
  readonly allowSource: boolean
  readonly name: string | undefined
  readonly grace: string | undefined
  readonly json: boolean
}

export const engine = async (input: EngineInput): Promise<void> => {
  const { credentials, namespace, servers } = reach(input)
  const { tell } = outputOf(input.json)
  const drain = new AbortController()
  let handle: EngineHandle | undefined
  // Clients are told that what runs is theirs again.
  const asked = askedToEnd(async () => handle?.kill())
  void asked.then((signal) => {
    tell("draining", `${signal}: calls that run are finished; once more ends at once`, { signal })
    drain.abort()
  })
  const { allowSource: textModules, labels, name, root, slots } = input
  const { grace: text } = input
  const grace = text !== undefined && /^[\d.]+$/.test(text) ? Number(text) : text as Duration.Input | undefined
  const options = { servers, credentials, namespace, slots, labels, root, name, textModules, grace }
  handle = await runEngine({ ...options, drainOn: drain.signal })
  tell("joined", `engine ${handle.id} serves ${servers.join(", ")}`, { id: handle.id, servers, namespace })
  await handle.done
  tell("ended", "ended", { id: handle.id })
}
