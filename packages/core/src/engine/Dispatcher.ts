/**
 * Hand-over: from the queue to the lanes, once per turn, and workers are asked for where the lanes were not enough.
 *
 * What a lane may take beyond its slots is said by `Hands`.
 */
import { availableParallelism } from "node:os"
import { WorkerLostError } from "../ExecutorError.ts"
import { performance, queueMicrotask, setImmediate } from "../timers.ts"
import { LEASED } from "../wire/frames.ts"
import { monotonic } from "../wire/monotonic.ts"
import type { Engine, Supervisor } from "./Engine.ts"
import type { FutureCell } from "./FutureCell.ts"
import { costOf, farCostOf } from "./Hands.ts"
import type { Lane } from "./Lane.ts"
import { BUDGET, LEASE } from "./Pace.ts"

/** Workers of this machine that may be starting at a time: more at once than there are cores only delay each other. */
const startsAtATime = availableParallelism()

/** Milliseconds that answers and new calls may follow each other within one turn of the event loop. */
const LONGEST_TURN = 4

export class Dispatcher {
  readonly #engine: Engine
  readonly #supervisor: Supervisor
  #scheduled = false
  /** When the turn of the loop began in which answers are coming in; `undefined` between turns. */
  #turnAt: number | undefined
  /** Whether calls that wait are left to the next turn. */
  #isPutOff = false

  constructor(engine: Engine, supervisor: Supervisor) {
    this.#engine = engine
    this.#supervisor = supervisor
  }

  /** Hands over once what runs now is over, so that calls which are handed in together travel together. */
  schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.pump()
    })
  }

  /**
   * Hands over the call that was just submitted, if it is the only one in the queue and a worker has nothing to do: the caller may block its thread next,
   * and the microtask would come too late. Calls that follow it in this turn are handed over together.
   */
  startNow(): void {
    const { lanes, losses: { alone }, queue } = this.#engine
    if (queue.size !== 1 || alone.size > 0) return
    for (const lane of lanes) {
      if (!lane.isOpen || lane.load > 0 || lane.isFar) continue
      const next = queue.shift()!
      this.#handOver(next, lane, costOf(next), performance.now(), 0)
      return lane.flush()
    }
  }

  /**
   * Outcomes have come in. Workers that are refilled at once answer while the loop still reads: so that its other callbacks get their turn, calls that
   * wait are left to the next one after a while.
   */
  refill(): void {
    if (this.#engine.queue.size === 0) return this.pump()
    const now = performance.now()
    if (this.#turnAt === undefined) {
      this.#turnAt = now
      setImmediate(() => this.#nextTurn())
    }
    if (now - this.#turnAt < LONGEST_TURN) this.pump()
    else this.#isPutOff = true
  }

  #nextTurn(): void {
    this.#turnAt = undefined
    if (!this.#isPutOff) return
    this.#isPutOff = false
    this.refill()
  }

  /**
   * Hands waiting calls to lanes: first to those with a free slot, the least loaded first, then, to those with little left to do, some more to each, in
   * equal parts. Then asks for workers where that was not enough.
   */
  pump(): void {
    const { lanes, losses: { alone }, options: { concurrency }, queue } = this.#engine
    if (alone.isActive) {
      alone.handOver(lanes, (cell, lane) => this.#handOver(cell, lane, BUDGET, performance.now(), 0))
    }
    for (let level = 0; level < concurrency && queue.size > 0; level++) {
      for (const lane of lanes) {
        if (lane.isOpen && lane.load <= level && queue.size > 0) {
          const next = queue.shift()!
          const cost = lane.isFar ? farCostOf(next, lane.window) : costOf(next)
          this.#handOver(next, lane, cost, performance.now(), 0)
        }
      }
    }
    if (queue.size > 0) {
      const share = Math.ceil(queue.size / lanes.size)
      for (const lane of lanes) if (lane.isHungry) this.#fill(lane, share)
    }
    let hasFar = false
    for (const lane of lanes) {
      lane.flush()
      if (lane.isFar) hasFar = true
    }
    if (hasFar && queue.size === 0) this.#balance()
    this.#grow()
    this.#engine.room.tell()
  }

  /** Hands a lane so many calls beyond its slots, or as many as it has room for. */
  #fill(lane: Lane, count: number): void {
    const { queue } = this.#engine
    const { isFar, window } = lane
    const now = performance.now()
    const deadline = isFar ? LEASED : monotonic() + LEASE
    for (let given = 0; given < count && !lane.retiring; given++) {
      const next = queue.peek()
      if (next === undefined) return
      const cost = isFar ? farCostOf(next, window) : costOf(next)
      if (!lane.hasRoom(cost)) return
      this.#handOver(queue.shift()!, lane, cost, now, deadline)
    }
  }

  /** Asks far workers that hold much ahead to give some of it back, while others have nothing to do and nothing waits. */
  #balance(): void {
    const { lanes, options: { concurrency } } = this.#engine
    let idle = 0
    for (const lane of lanes) if (lane.state === "ready" && !lane.retiring && lane.load < concurrency) idle++
    if (idle === 0) return
    for (const lane of lanes) {
      // What comes back goes to one of them.
      if (lane.isAskedBack && --idle === 0) return
    }
    const rich = [...lanes].filter((lane) => lane.isFar && lane.isWorthAsking)
    for (const lane of rich.toSorted((a, b) => b.ahead - a.ahead).slice(0, idle)) lane.askBack()
  }

  #handOver(cell: FutureCell, lane: Lane, cost: number, now: number, deadline: number): void {
    const engine = this.#engine
    lane.take(cell, cost, deadline)
    // One that is sent ahead stays pending until the worker has started it.
    if (deadline === 0) engine.begin(cell, lane, now)
    engine.recycling.look(lane)
  }

  /** Starts workers while calls wait that nobody has room for, or fewer live than are always kept. */
  #grow(): void {
    const { isLeaving, lanes, losses: { alone }, options: { concurrency, maxWorkers }, queue, state } = this.#engine
    const minWorkers = isLeaving ? 0 : this.#engine.options.minWorkers
    if (state === "broken" || state === "closed") return
    let room = this.#supervisor.starting * concurrency
    let living = this.#supervisor.starting
    let lost = 0
    for (const lane of lanes) {
      if (lane.state === "lost") lost++
      else if (lane.state !== "starting") living++
      if (lane.isOpen) room += concurrency - lane.load
    }
    // A worker that cannot be ended is replaced, but once: threads that spin for ever must not pile up.
    const limit = lost > 1 ? maxWorkers + 1 - lost : maxWorkers
    const atATime = this.#engine.backend.startsAtATime ?? startsAtATime
    while (
      living < limit && this.#supervisor.starting < atATime && (queue.size + alone.size > room || living < minWorkers)
    ) {
      this.#supervisor.start()
      room += concurrency
      living++
    }
    if (living === 0 && lost > 0 && queue.size > 0) {
      this.#engine.break(new WorkerLostError({ workerId: "all", reason: "unkillable" }))
    }
  }
}
