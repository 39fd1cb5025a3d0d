/** Loads tasks from the file that starts the program. */
import { InvalidStateError, TaskNotFoundError } from "../ExecutorError.ts"
import { BUNDLED, entryFailed, REMEDY } from "./load.ts"
import { process } from "./process.ts"
import { notify } from "./realm.ts"
import type { TaskDefinition } from "./registry.ts"

/** What a server or a connection is among the resources of Node, or becomes once its host name is known. */
const network = /^(TCP|UDP|TLS|GetAddrInfo|DNSChannel|QUERYWRAP)/i

/** What else a module that only declares tasks does not open. */
const opened = /^(Pipe|Process|FSEvent|StatWatcher|Timeout|TTY)/

const open = (kind: RegExp): number => process.getActiveResourcesInfo?.().filter((type) => kind.test(type)).length ?? 0

/**
 * Loads a task. A module that opens servers or connections meanwhile starts the program once more in the worker: rejects with `TaskNotFoundError`, after a
 * call of `spoiled`, since the worker is of no use any more. Timers and the like are only reported.
 */
export const loadEntry = async (
  module: string,
  task: string,
  load: () => Promise<TaskDefinition>,
  spoiled: () => void
): Promise<TaskDefinition> => {
  const [connections, others] = [open(network), open(opened)]
  const definition = await load().catch((error: unknown) => {
    const { cause } = error as TaskNotFoundError
    // It has no such task, or is refused for submitting calls, which says what to do.
    if (cause === undefined || cause instanceof InvalidStateError) throw error
    spoiled()
    throw entryFailed(module, task, cause)
  })
  const what = `${module}, the file that starts the program, for its tasks, and with it opened`
  if (open(network) > connections) {
    spoiled()
    const message = `A worker loaded ${what} servers or connections, as the program itself does. ${REMEDY} ${BUNDLED}`
    throw new TaskNotFoundError({ module, task, message })
  }
  if (open(opened) > others) notify(`A worker loaded ${what} timers, programs or watchers. ${REMEDY}`)
  return definition
}
