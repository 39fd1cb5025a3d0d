/**
 * Workers of a program that ends without `shutdown()`: they run their exit hooks and finalizers, and write coverage and profiles, as after `shutdown()`.
 *
 * ```
 * nothing left to do ("beforeExit") ──▶ idle workers end, the program waits for them ──▶ "exit"
 * process.exit(), an uncaught error ──▶ "exit": idle workers end, the program blocks until they have
 * ```
 *
 * A worker that runs a call at that moment is not waited for. A signal that ends the program at once, such as SIGKILL, runs no code here: threads end
 * with the program; processes end by themselves when their connection closes.
 */
import { performance } from "../timers.ts"
import type { Engine } from "./Engine.ts"
import type { Lane } from "./Lane.ts"

/** Executors that may have workers. */
const engines = new Set<Engine>()

/** Lets the workers of an executor end with the program. */
export const endWithProgram = (engine: Engine): void => {
  if (engines.size === 0) process.on("beforeExit", atRest).on("exit", atExit)
  engines.add(engine)
}

/** An executor has no workers any more. */
export const forgetProgramEnd = (engine: Engine): void => {
  if (engines.delete(engine) && engines.size === 0) process.off("beforeExit", atRest).off("exit", atExit)
}

const atRest = (): void => {
  for (const engine of engines) void engine.leave()
}

const atExit = (): void => {
  const since = performance.now()
  const ending: Array<[Engine, Lane]> = []
  for (const engine of engines) {
    for (const lane of engine.lanes) {
      if (lane.state === "ready" && lane.idle) lane.stop()
      else if (lane.state !== "stopping" || lane.forced) continue
      ending.push([engine, lane])
    }
  }
  for (const [engine, lane] of ending) {
    const timeoutMs = Math.max(0, engine.options.exitTimeout - (performance.now() - since))
    // Warnings are published in a later turn, of which there is none.
    if (lane.waitForExit(timeoutMs) === false) process.stderr.write(`FuturesWarning: ${tooSlow(engine, lane)}\n`)
  }
}

/** That a worker did not exit in time. */
export const tooSlow = ({ options }: Engine, lane: Lane): string =>
  `Worker ${lane.workerId} of executor "${options.name}" did not exit within ${options.exitTimeout} ms (exitTimeout) and is ended by force: ` +
  "its exit hooks and finalizers may not have finished. Set exitTimeout to what they need"
