/** Loads tasks from the file that starts the program. */
import { REMEDY } from "./load.ts"
import { process } from "./process.ts"
import { notify } from "./realm.ts"
import type { TaskDefinition } from "./registry.ts"

/** What a module that only declares tasks does not open. */
const opened = /^(TCP|UDP|Pipe|Process|TLS|FSEvent|StatWatcher|Timeout|TTY)/

const countOpened = (): number => process.getActiveResourcesInfo?.().filter((type) => opened.test(type)).length ?? 0

/** Loads a task, and reports a module that opened servers, connections or timers: it runs the program once more. */
export const loadEntry = async (module: string, load: () => Promise<TaskDefinition>): Promise<TaskDefinition> => {
  const before = countOpened()
  const definition = await load()
  if (countOpened() > before) {
    notify(
      `A worker loaded ${module}, the file that starts the program, for its tasks, and with it opened servers, connections or timers. ${REMEDY}`
    )
  }
  return definition
}
