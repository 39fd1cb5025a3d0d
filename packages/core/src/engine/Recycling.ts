/**
 * Workers that have done enough: too long idle, too many calls, too much memory. A worker that is to go takes no more calls and is ended once it has none.
 */
import { LONGEST_DELAY } from "../duration.ts"
import { clearTimeout, performance, setTimeout } from "../timers.ts"
import { outside } from "./asyncContext.ts"
import type { Engine, Supervisor } from "./Engine.ts"
import type { Lane } from "./Lane.ts"
import { publishNotice } from "./notices.ts"
import { tooSlow } from "./programEnd.ts"

/** A worker that uses so many times its memory limit is ended at once, with what runs on it. */
const FAR_OVER = 2

export class Recycling {
  readonly #engine: Engine
  readonly #supervisor: Supervisor
  #sweep: NodeJS.Timeout | undefined

  constructor(engine: Engine, supervisor: Supervisor) {
    this.#engine = engine
    this.#supervisor = supervisor
  }

  /** A lane has been handed a call, or has answered some. */
  look(lane: Lane): void {
    const { idleTimeout, maxTasksPerWorker } = this.#engine.options
    lane.isFull = lane.taken >= maxTasksPerWorker
    if (!lane.idle || lane.state !== "ready") return
    if (lane.retiring) return void this.#supervisor.retire(lane)
    lane.idleSince = performance.now()
    if (this.#sweep !== undefined || idleTimeout > LONGEST_DELAY) return
    this.#sweepAfter(idleTimeout)
  }

  /** A worker uses more memory than it may. */
  overMemory(lane: Lane, bytes: number): void {
    lane.retire()
    if (lane.idle) void this.#supervisor.retire(lane)
    else if (bytes > FAR_OVER * this.#engine.options.memoryLimit) {
      lane.outOfMemory = true
      lane.kill()
    }
  }

  /**
   * A worker exits by itself, whatever it runs. Its exit hooks have `exitTimeout`; then it is ended: a hook may not end, and Node may hang in its own
   * shutdown (nodejs/node#54918).
   */
  exiting(lane: Lane): void {
    lane.retire()
    const { exitTimeout } = this.#engine.options
    if (exitTimeout > LONGEST_DELAY) return
    const end = (): void => {
      // One that was asked to end is the supervisor's affair.
      if (lane.state === "gone" || lane.ended) return
      publishNotice(tooSlow(this.#engine, lane))
      lane.endExit()
    }
    lane.exitTimer = outside(() => setTimeout(end, exitTimeout))
    lane.exitTimer.unref()
  }

  /** A settled call has left an error behind, so what it has changed is unknown: the worker finishes what it has, and is replaced. */
  leftBehind(lane: Lane): void {
    lane.retire()
    if (lane.idle && lane.state === "ready") void this.#supervisor.retire(lane)
  }

  close(): void {
    clearTimeout(this.#sweep)
  }

  #endIdle(): void {
    this.#sweep = undefined
    const { idleTimeout, minWorkers } = this.#engine.options
    const now = performance.now()
    const idle = [...this.#engine.lanes].filter((lane) => lane.state === "ready" && lane.idle)
    let spare = [...this.#engine.lanes].filter((lane) => lane.state === "ready").length - minWorkers
    let soonest = Infinity
    for (const lane of idle) {
      if (spare <= 0) return
      const left = lane.idleSince + idleTimeout - now
      if (left > 0) soonest = Math.min(soonest, left)
      else {
        spare--
        void this.#supervisor.retire(lane)
      }
    }
    if (soonest === Infinity) return
    this.#sweepAfter(soonest)
  }

  #sweepAfter(millis: number): void {
    this.#sweep = outside(() => setTimeout(() => this.#endIdle(), millis))
    this.#sweep.unref()
  }
}
