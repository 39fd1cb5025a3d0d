/**
 * The executor as a task sees it from inside: the same contract, and one worker, which is the parent.
 *
 * Calls go up as frames and are queued there with all others; the parent keeps their clocks and stops them. While a task waits for such a call it gives
 * its slot back, so that recursion ends with one worker.
 */
import type { Backend, LinkEvents, SpawnSpec } from "./Backend.ts"
import { Engine } from "./engine/Engine.ts"
import { cancelledFor } from "./engine/Failure.ts"
import type { FutureCell } from "./engine/FutureCell.ts"
import { supervise } from "./engine/supervision.ts"
import { EngineExecutor } from "./EngineExecutor.ts"
import { InvalidStateError } from "./ExecutorError.ts"
import { resolveOptions } from "./options.ts"
import { queueMicrotask } from "./timers.ts"
import { HEADER, Kind } from "./wire/frames.ts"
import type { Frame } from "./wire/frames.ts"
import type { StopReason } from "./wire/StopReason.ts"
import type { CallContext, CallHost } from "./worker/CallContext.ts"
import { currentTask } from "./worker/context.ts"

/** Calls that all tasks of a worker may have handed in at a time; more wait in the worker. */
const AT_A_TIME = 2 ** 15

/** One engine serves all tasks of a worker. */
const engines = new WeakMap<CallHost, Engine>()

const engineOf = (host: CallHost): Engine => {
  let engine = engines.get(host)
  if (engine === undefined) {
    const backend = parentOf(host)
    const options = resolveOptions({ maxWorkers: 1, concurrency: AT_A_TIME, idleTimeout: Infinity }, backend)
    const setup = {
      concurrency: AT_A_TIME,
      pipeOutput: false,
      memoryLimit: Infinity,
      initializer: undefined,
      restore: undefined
    }
    engine = new Engine(backend, options, (self) => supervise(self, setup), () => parkCaller(host))
    engines.set(host, engine)
  }
  return engine
}

const parentOf = (host: CallHost): Backend => ({
  name: "nested",
  sharesMemory: host.mode.sharesMemory,
  remote: true,
  locate: host.locate,
  spawn: (_: SpawnSpec, events: LinkEvents) => {
    host.onNested = (frame) => events.frame([frame[0], ...header, ...frame.slice(HEADER)])
    let header: ReadonlyArray<unknown> = []
    return {
      workerId: "parent",
      send: (frame: Frame) => {
        if (frame[0] !== Kind.Hello) host.send(frame[0] as number, ...frame.slice(HEADER))
        else {
          header = frame.slice(1, HEADER)
          events.frame([Kind.Ready, ...header])
        }
        return true
      },
      kill: () => {}
    }
  }
})

/**
 * The running task begins to wait; the function returned ends the wait. The slot is given back behind the calls of this turn, which leave
 * in a microtask: else it would go to another call before the parent knows of those.
 */
const parkCaller = (host: CallHost): (() => void) | undefined => {
  const caller = currentTask() as CallContext | undefined
  if (caller === undefined || caller.host !== host) return undefined
  let isParked = false
  let isOver = false
  queueMicrotask(() => {
    isParked = !isOver
    if (isParked) host.park(caller.wireId, 1)
  })
  return () => {
    isOver = true
    if (isParked) host.park(caller.wireId, -1)
  }
}

export class NestedExecutor extends EngineExecutor {
  override cancelPending(): number {
    throw new InvalidStateError("A task cannot cancel the calls of others: cancel the futures that it has")
  }

  override recycle(): Promise<void> {
    return Promise.reject(new InvalidStateError("A task cannot replace the worker that it runs on"))
  }

  override shutdown(): Promise<void> {
    return Promise.reject(new InvalidStateError("A task cannot shut down the executor that it runs on"))
  }

  override terminate(): Promise<void> {
    return this.shutdown()
  }
}

/** The executor that the call runs on. */
export const nestedExecutor = (context: CallContext): NestedExecutor => {
  const engine = engineOf(context.host)
  const accepted = (cell: FutureCell): void => {
    // Handed in to clean up.
    if (context.asked) return
    const children = context.children ??= new Set()
    const stop = (grace: number | undefined, reason: StopReason | undefined): void =>
      void engine.interrupt(cell, grace, cancelledFor("parent", reason))
    children.add(stop)
    cell.observe(() => children.delete(stop))
  }
  // A map that began before the task was asked to stop ends; one that it begins to clean up runs.
  const ended = (): boolean => context.asked
  return new NestedExecutor(engine, { parent: context.wireId, accepted, ended })
}
