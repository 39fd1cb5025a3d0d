/** Child processes as workers. */
import { encodeParts, FrameReader, resolveModule } from "@futures/core/Backend"
import type { Backend, LinkEvents, SpawnSpec } from "@futures/core/Backend"
import { fileURLToPath } from "node:url"
import { openChild } from "./child.ts"
import type { Watchdog } from "./Watchdog.ts"

const worker = fileURLToPath(resolveModule(import.meta, "@futures/process-executor/worker"))

/** Under Bun a child and its watchdog fail half-way, and calls would hang: nothing is started. */
const refuseBun = (): void => {
  if (process.versions["bun"] === undefined) return
  throw new Error(
    "Bun cannot run worker processes: it lacks unref() for the pipes of a child, and the settings of process.report. Use ThreadExecutor, or Node"
  )
}

/** `entry` is the file that each child runs, one that calls `serveParent`; the executor's own by default. */
export const childProcesses = (watchdog: Watchdog, entry: string = worker): Backend => ({
  name: "process",
  sharesMemory: false,
  spawn: (spec: SpawnSpec, events: LinkEvents) => {
    refuseBun()
    const execArgv = [...spec.inheritedExecArgv, ...spec.execArgv]
    const reader = new FrameReader(events.frame, (cause) => child.fail(cause))
    const { argv, directory, env, exitTimeout: exitTimeoutMs, name } = spec
    const child = openChild({ name, entry, execArgv, argv, env, directory, exitTimeoutMs, watchdog }, {
      reader,
      exit: events.exit
    })
    return {
      workerId: child.pid ?? "unborn",
      send: (frame) => child.write(...encodeParts(frame)),
      started: child.started,
      requestStop: child.requestStop,
      arriving: () => reader.arriving,
      waitForExit: child.waitForExit,
      kill: child.kill
    }
  }
})
