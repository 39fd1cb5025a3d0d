/** `futures-cluster engine`: this host joins a cluster. */
import { runEngine } from "../engine/runEngine.ts"
import { askedToEnd } from "./ending.ts"
import { outputOf } from "./output.ts"
import { reach } from "./reach.ts"
import type { Reach } from "./reach.ts"

export interface EngineInput extends Reach {
  readonly slots: number | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly root: string | undefined
  readonly name: string | undefined
  readonly json: boolean
}

export const engine = async (input: EngineInput): Promise<void> => {
  const { credentials, namespace, servers } = reach(input)
  const { tell } = outputOf(input.json)
  const drain = new AbortController()
  void askedToEnd().then((signal) => {
    tell("draining", `${signal}: calls that run are finished; once more ends at once`, { signal })
    drain.abort()
  })
  const { labels, name, root, slots } = input
  const handle = await runEngine({ servers, credentials, namespace, slots, labels, root, name, drainOn: drain.signal })
  tell("joined", `engine ${handle.id} serves ${servers.join(", ")}`, { id: handle.id, servers, namespace })
  await handle.done
  tell("ended", "ended", { id: handle.id })
}
