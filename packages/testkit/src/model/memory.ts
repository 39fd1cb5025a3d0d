/**
 * A backend whose workers live in this very thread, and whose frames are delivered when somebody else says so: then every interleaving of parent and
 * workers can be driven, and told again from a seed.
 *
 * ```
 * parent ── frames ──▶ worker        two queues a worker, first in, first out, as the seam asks;
 * parent ◀─ frames, exit ── worker   which of all queues goes on next is up to `Deliver`
 * ```
 */
import { claim, executorClass, makeClaims, requestStop, timers } from "@futures/core/Backend"
import type { Backend, ExecutorClass, Frame, LinkEvents, LinkExit, SpawnSpec } from "@futures/core/Backend"
import { claim as claimToStart, isStopRequested, serveHere } from "@futures/core/Worker"

/** Lets a step happen later: the delivery of one frame, or of a worker's end. */
export type Deliver = (label: string, step: () => void) => void

/** A worker, for those who mean it harm. */
export interface MemoryWorker {
  readonly number: number
  /** Frames that the parent got from it, oldest first. */
  readonly heard: ReadonlyArray<Frame>
  /** Whether the parent may still get frames from it. */
  readonly lives: boolean
  /** Ends it, as a crash does: what it said before still arrives. */
  readonly crash: () => void
  /** Gives the parent a frame as if this worker had said it, now. */
  readonly tell: (frame: Frame) => void
}

export interface Memory {
  readonly backend: Backend
  /** Every worker there ever was, oldest first; none when steps are taken by themselves, for then nobody looks, and there is no end to them. */
  readonly workers: ReadonlyArray<MemoryWorker>
}

/** Workers of one executor. By default each step is taken a turn of the loop later, in order, and nothing is kept. */
export const memory = (driver?: Deliver): Memory => {
  const deliver: Deliver = driver ?? ((_, step) => void timers.setImmediate(step))
  const workers: Array<MemoryWorker> = []
  let born = 0
  const spawn = (_: SpawnSpec, events: LinkEvents): ReturnType<Backend["spawn"]> => {
    const number = ++born
    const heard: Array<Frame> = []
    /** Whether it runs; whether the parent was told that it does not. */
    let [ended, gone] = [false, false]
    /** What the worker noted of the calls that it has started. */
    let started = 0
    const claims = makeClaims()
    const end = (exit: LinkExit): void => {
      if (ended) return
      ended = true
      toParent(`worker ${number} ends`, () => {
        gone = true
        events.exit(exit)
      })
    }
    const [toWorker, toParent] = [queue(deliver), queue(deliver)]
    const served = serveHere({
      sharesMemory: true,
      sharesThread: true,
      send: (frame) => {
        if (ended) return
        toParent(`worker ${number} says ${frame[0]}`, () => {
          if (driver !== undefined) heard.push(frame)
          events.frame(frame)
        })
      },
      end: () => end({ exitCode: 0 }),
      claim: (wireId) => claimToStart(claims, wireId),
      stopRequested: (wireId) => isStopRequested(claims, wireId),
      mark: (calls) => started = calls
    })
    if (driver !== undefined) {
      workers.push({
        number,
        heard,
        get lives() {
          return !gone
        },
        crash: () => end({ exitCode: 70 }),
        tell: events.frame
      })
    }
    return {
      workerId: number,
      send: (frame) => {
        if (ended) return false
        toWorker(`worker ${number} hears ${frame[0]}`, () => {
          if (!ended) served.receive(frame)
        })
        return true
      },
      kill: () => end({ signal: "SIGKILL" }),
      started: () => started,
      withdraw: (wireId) => claim(claims, wireId),
      requestStop: (wireId) => requestStop(claims, wireId)
    }
  }
  return { backend: { name: "memory", sharesMemory: true, defaultMaxWorkers: 1, spawn }, workers }
}

/** The executor over such workers. */
export const memoryExecutor = (backend: Backend): ExecutorClass => executorClass(backend)

/** Steps in order, each taken when its turn is delivered. */
const queue = (deliver: Deliver): Deliver => {
  const steps: Array<() => void> = []
  return (label, step) => {
    steps.push(step)
    deliver(label, () => steps.shift()!())
  }
}
