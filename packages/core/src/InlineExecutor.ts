/**
 * The executor without workers: calls run here, on this thread, one at a time. The reference for all others, and the one to debug with.
 *
 * Values are captured as for any worker, so a program that works here works everywhere. A call that blocks blocks the caller, and one that never
 * ends by itself cannot be ended by force.
 */
import type { Backend, LinkEvents, SpawnSpec } from "./Backend.ts"
import { executorClass } from "./executorClass.ts"
import type { ExecutorClass } from "./executorClass.ts"
import type { Executor } from "./ExecutorService.ts"
import { queueMicrotask, setImmediate } from "./timers.ts"
import { claim, claimToStart, isStopRequested, makeClaims, requestStop } from "./wire/claims.ts"
import type { Frame } from "./wire/frames.ts"
import { Kind } from "./wire/frames.ts"
import { Host } from "./worker/host.ts"

const inline: Backend = {
  name: "inline",
  sharesMemory: true,
  defaultMaxWorkers: 1,
  spawn: (_: SpawnSpec, events: LinkEvents) => {
    let ended = false
    let started = 0
    const claims = makeClaims()
    /** Frames that wait for their turn of the loop. */
    let onTheWay = 0
    const end = (): void => {
      if (ended) return
      ended = true
      queueMicrotask(() => events.exit({ exitCode: 0 }))
    }
    const host = new Host({
      sharesMemory: true,
      sharesThread: true,
      send: (frame) => {
        if (!ended) events.frame(frame)
      },
      end,
      claim: (wireId) => claimToStart(claims, wireId),
      stopRequested: (wireId) => isStopRequested(claims, wireId),
      mark: (count) => started = count
    })
    return {
      workerId: "inline",
      started: () => started,
      withdraw: (wireId) => claim(claims, wireId),
      requestStop: (wireId) => requestStop(claims, wireId),
      send: (frame: Frame) => {
        if (ended) return false
        const deliver = (): void => {
          if (!ended) host.receive(frame)
        }
        // A turn of the loop for each hand-over: timers, input and cancellation come through between calls. What follows it stays behind it.
        if (frame[0] !== Kind.Calls && onTheWay === 0) queueMicrotask(deliver)
        else {
          onTheWay++
          setImmediate(() => {
            onTheWay--
            deliver()
          })
        }
        return true
      },
      // A call that runs here cannot be ended: its late answer is dropped. What has not begun does not begin.
      kill: () => {
        end()
        host.abandon()
      }
    }
  }
}

/**
 * Runs calls here, on this thread, one at a time: the executor to debug and to test with, and the one that starts nothing.
 *
 * ```ts
 * await using executor = new InlineExecutor()
 * console.log(await executor.submit(fib, 30).result())
 * ```
 */
export const InlineExecutor: ExecutorClass = executorClass(inline, "InlineExecutor")
export type InlineExecutor = Executor
