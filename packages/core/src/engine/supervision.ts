/**
 * The life of the workers, on Effect: each is a fiber in the executor's scope.
 *
 * ```
 * start ──▶ ready ──▶ exited                    then the engine asks for another if there is work
 * start ──▶ failed ──▶ start                    with growing pauses, while there is work for it
 * start ──▶ failed ──▶ broken                   after a few failures without any live worker: then every call fails with the cause
 * any ──▶ asked to end ──▶ ended by force       when the scope closes, or the fiber is interrupted
 * ```
 *
 * Closing the scope interrupts the fibers and waits for their finalizers, so when it is over no worker is left, or it is named.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { SpawnSpec } from "../Backend.ts"
import { LONGEST_DELAY } from "../duration.ts"
import { scheduler } from "../effectScheduler.ts"
import { describe, TaskTimeoutError } from "../ExecutorError.ts"
import { clearTimeout, setTimeout } from "../timers.ts"
import { STARTING } from "../worker/realm.ts"
import { outside } from "./asyncContext.ts"
import type { Engine, Supervisor } from "./Engine.ts"
import { entryFile } from "./entryFile.ts"
import { tellWorkerStart } from "./events.ts"
import { inheritedExecArgv, resolvedFrom } from "./execArgv.ts"
import { Lane } from "./Lane.ts"
import type { LaneSetup } from "./Lane.ts"
import { startCause } from "./lost.ts"
import { publishNotice } from "./notices.ts"
import { PatientTimer } from "./PatientTimer.ts"
import { endWithProgram, forgetProgramEnd, tooSlow } from "./programEnd.ts"
import { UNKILLABLE_AFTER } from "./StopLadder.ts"

/** Failed starts in a row, without any live worker, that break an executor none of whose workers was ever ready. */
const STARTS = 3
/** The same for an executor that had a worker: starts over some three seconds, since what the initializer needs may come back. */
const STARTS_AFTER_ONE_WAS_READY = 7
/** The pause after the first failed start; each further one doubles it. */
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 5_000

/** The starts of one worker, from the first until one succeeds. */
interface Start {
  /** Failures so far. */
  failures: number
  /** Those since another worker was last seen alive. */
  alone: number
  /** Whether `engine.failingStarts` counts it. */
  isFailing: boolean
}

/** The smallest number that no worker has. */
const freeNumber = (lanes: Iterable<Lane>): number => {
  const taken = new Set(Array.from(lanes, (lane) => lane.number))
  let number = 0
  while (taken.has(number)) number++
  return number
}

/** Why a worker did not come up. */
class StartFailure {
  readonly _tag = "StartFailure"
  readonly cause: unknown
  /** Whether its machine is gone, which says nothing about others. */
  readonly moved: boolean
  constructor(cause: unknown, moved = false) {
    this.cause = cause
    this.moved = moved
  }
}

/** `setup` is what every worker is told, but for its name. */
export const supervise = (engine: Engine, setup: Omit<LaneSetup, "key">): Supervisor => {
  const { laneEvents, options } = engine
  const scope = Scope.makeUnsafe("parallel")
  const fibers = new Map<Lane, Fiber.Fiber<void>>()
  let generation = 0
  let starting = 0
  /** Starts that were given up since a worker was last ready: not replaced, so that it stays at a few. */
  let givenUp = 0
  let wasAnyReady = false

  // Taken when the executor is created, so that all its workers have the same, however late they start.
  const directory = currentDirectory()
  const env = engine.startsWorkers ? environment(options.env) : {}
  const inherited = inheritedExecArgv()
  const main = engine.startsWorkers ? entryFile() : undefined

  const spec = (): SpawnSpec => {
    const moved = directory !== undefined && directory !== currentDirectory()
    return {
      name: `${options.name}-${generation}`,
      env,
      directory: moved ? directory : undefined,
      inheritedExecArgv: moved ? resolvedFrom(directory, inherited) : inherited,
      execArgv: moved ? resolvedFrom(directory, options.execArgv) : options.execArgv,
      argv: options.argv,
      resourceLimits: options.resourceLimits,
      idleTimeout: options.idleTimeout,
      exitTimeout: options.exitTimeout
    }
  }

  /** One worker, from its start to its exit. Fails when it never becomes ready. */
  const life = (start: Start) =>
    Effect.withFiber<void, StartFailure>((fiber) => {
      const ready = Deferred.makeUnsafe<void, StartFailure>()
      const gone = Deferred.makeUnsafe<void>()
      let wasReady = false
      const lane = new Lane(engine.id, ++generation, freeNumber(engine.lanes), engine.backend, {
        ...laneEvents,
        ready: (self) => {
          wasReady = wasAnyReady = true
          givenUp = 0
          over(start)
          Deferred.doneUnsafe(ready, Effect.void)
          laneEvents.ready(self)
        },
        gone: (self, exit) => {
          fibers.delete(self)
          engine.lanes.delete(self)
          if (engine.lanes.size === 0) forgetProgramEnd(engine)
          const moved = exit.redeliver !== undefined
          Deferred.doneUnsafe(ready, Effect.fail(new StartFailure(startCause(self, exit), moved)))
          Deferred.doneUnsafe(gone, Effect.void)
          // A worker that never came up is this fiber's affair: it may be tried again.
          if (wasReady) laneEvents.gone(self, exit)
          else engine.losses.exited(self, exit)
        }
      })
      fibers.set(lane, fiber as Fiber.Fiber<void>)
      engine.lanes.add(lane)
      if (engine.waiting === undefined && engine.backend.remote !== true) endWithProgram(engine)
      tellWorkerStart(engine, lane)
      lane.open(engine.backend, spec(), { ...setup, key: engine.keyPrefix, main })
      const late = new StartFailure(new TaskTimeoutError({ clock: "start", after: options.startTimeout }))
      const placed = lane.place?.placed
      const overdue = Effect.callback<never, StartFailure>((resume) => {
        const expire = (): void => resume(Effect.fail(late))
        const timer = new PatientTimer(options.startTimeout, () => lane.arriving, expire, { isUnref: true })
        return Effect.sync(() => timer.clear())
      })
      const tooLate = placed === undefined ? overdue : Effect.andThen(Effect.promise(() => placed), overdue)
      return Effect.raceFirst(Deferred.await(ready), tooLate).pipe(
        Effect.andThen(Deferred.await(gone)),
        Effect.ensuring(end(engine, lane, Deferred.await(gone))),
        Effect.ensuring(Effect.sync(() => engine.lanes.delete(lane) && undefined))
      )
    })

  /** A start is over: the worker is ready, or nobody waits for it any more. */
  const over = (start: Start): void => {
    if (--starting === 0) givenUp = 0
    if (start.isFailing) engine.failingStarts--
    start.isFailing = false
  }

  /** Starts a worker, again and again while it fails. */
  const attempt = (start: Start): Effect.Effect<void> =>
    life(start).pipe(Effect.catch((failure) => Effect.suspend(() => failed(start, failure))))

  const failed = (start: Start, { cause, moved }: StartFailure): Effect.Effect<void> => {
    if (moved) {
      over(start)
      engine.pump()
      return Effect.void
    }
    const isAlone = !engine.hasReadyWorker
    start.failures++
    start.alone = isAlone ? start.alone + 1 : 0
    if (start.alone >= (wasAnyReady ? STARTS_AFTER_ONE_WAS_READY : STARTS)) {
      over(start)
      givenUp++
      if (starting === 0) engine.break(cause)
      return Effect.void
    }
    if (start.failures >= STARTS && !start.isFailing) {
      start.isFailing = true
      engine.failingStarts++
      if (!isAlone) reportFailing(options.name, cause)
      engine.room.tell()
    }
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (start.failures - 1), LONGEST_PAUSE_MS)
    return Effect.andThen(
      pause(pauseMs),
      Effect.suspend(() => {
        if (engine.wantsWorkers) return attempt(start)
        over(start)
        return Effect.void
      })
    )
  }

  return {
    get starting() {
      return starting + givenUp
    },
    start: () => {
      starting++
      const worker = attempt({ failures: 0, alone: 0, isFailing: false })
      outside(() => Effect.runSync(Effect.forkIn(worker, scope, { startImmediately: true })))
    },
    retire: (lane) => {
      const fiber = fibers.get(lane)
      return fiber === undefined ? Promise.resolve() : Effect.runPromise(Fiber.interrupt(fiber), { scheduler })
    },
    close: () => Effect.runPromise(Scope.close(scope, Exit.void), { scheduler })
  }
}

/** Other workers run calls meanwhile, so nothing else would tell. */
const reportFailing = (executor: string, cause: unknown): void =>
  publishNotice(
    `Executor "${executor}" runs with fewer workers than it needs: one could not be started ${STARTS} times and is tried again ` +
      `(${describe(cause)})`
  )

/** The environment of this process with the option `env` over it, and the mark of a worker that starts. */
const environment = (over: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(
    Object.entries({ ...process.env, ...over }).filter((entry): entry is [string, string] => entry[1] !== undefined)
  ),
  [STARTING]: "1"
})

/** The working directory; `undefined` when it was deleted. */
const currentDirectory = (): string | undefined => {
  try {
    return process.cwd()
  } catch {
    return undefined
  }
}

/** Ends a worker: by asking when it is idle, by force when it does not answer or is busy; gives up on one that cannot be ended. */
const end = (engine: Engine, lane: Lane, gone: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (lane.state === "gone" || lane.state === "lost") return Effect.void
    const idle = lane.state === "ready" && lane.idle
    const within = (millis: number) => Effect.raceFirst(gone, pause(millis))
    const asked = Effect.suspend(() => {
      lane.stop()
      return within(engine.options.exitTimeout)
    })
    const forced = Effect.suspend(() => {
      if (lane.state === "gone") return Effect.void
      if (idle) publishNotice(tooSlow(engine, lane))
      lane.kill()
      return within(UNKILLABLE_AFTER)
    })
    const abandoned = Effect.sync(() => lane.state === "gone" ? undefined : engine.losses.abandoned(lane))
    return (idle ? Effect.andThen(asked, forced) : forced).pipe(Effect.andThen(abandoned))
  })

/** A pause that does not keep the process alive. */
const pause = (millis: number): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), Math.min(millis, LONGEST_DELAY))
    timer.unref()
    return Effect.sync(() => clearTimeout(timer))
  })
