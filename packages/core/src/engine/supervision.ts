/**
 * The life of the workers, on Effect: each is a fiber in the executor's scope.
 *
 * ```
 * start ──▶ ready ──▶ exited                    then the engine asks for another if there is work
 * start ──▶ failed ──▶ start                    a few times, with growing pauses
 * start ──▶ failed ──▶ broken                   then every call fails with the cause
 * any ──▶ asked to end ──▶ ended by force       when the scope closes, or the fiber is interrupted
 * ```
 *
 * Closing the scope interrupts the fibers and waits for their finalizers, so when it is over no worker is left, or it is named.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import type { SpawnSpec } from "../Backend.ts"
import { LONGEST_DELAY } from "../duration.ts"
import { TaskTimeoutError } from "../ExecutorError.ts"
import type { Setup } from "../wire/frames.ts"
import { STARTING } from "../worker/realm.ts"
import { outside } from "./asyncContext.ts"
import type { Engine, Supervisor } from "./Engine.ts"
import { tellWorkerStart } from "./events.ts"
import { inheritedExecArgv, resolvedFrom } from "./execArgv.ts"
import { Lane } from "./Lane.ts"
import { startCause } from "./lost.ts"
import { UNKILLABLE_AFTER } from "./StopLadder.ts"

/** A worker that fails to start is tried again so many times before the executor counts as broken. */
const RESTARTS = 2
const pauses = Schedule.exponential("50 millis")

/** Why a worker did not come up. */
class StartFailure {
  readonly _tag = "StartFailure"
  readonly cause: unknown
  /** Whether it would fail again. */
  readonly final: boolean
  /** Whether its machine is gone, which says nothing about others. */
  readonly moved: boolean
  constructor(cause: unknown, final = false, moved = false) {
    this.cause = cause
    this.final = final
    this.moved = moved
  }
}

/** `setup` is what every worker is told, but for its name. */
export const supervise = (engine: Engine, setup: Omit<Setup, "version" | "workerId">): Supervisor => {
  const { laneEvents, options } = engine
  const scope = Scope.makeUnsafe("parallel")
  const fibers = new Map<Lane, Fiber.Fiber<void>>()
  let generation = 0
  let starting = 0

  // Taken when the executor is created, so that all its workers have the same, however late they start.
  const directory = currentDirectory()
  const env = engine.startsWorkers ? environment(options.env) : {}
  const inherited = inheritedExecArgv()

  const spec = (): SpawnSpec => {
    const moved = directory !== undefined && directory !== currentDirectory()
    return {
      name: `${options.name}-${generation}`,
      env,
      directory: moved ? directory : undefined,
      inheritedExecArgv: moved ? resolvedFrom(directory, inherited) : inherited,
      execArgv: moved ? resolvedFrom(directory, options.execArgv) : options.execArgv,
      resourceLimits: options.resourceLimits
    }
  }

  /** One worker, from birth to death. Fails when it never comes up. */
  const life = Effect.withFiber<void, StartFailure>((fiber) => {
    const ready = Deferred.makeUnsafe<void, StartFailure>()
    const gone = Deferred.makeUnsafe<void>()
    let wasReady = false
    const lane = new Lane(engine.id, ++generation, engine.backend, {
      ...laneEvents,
      ready: (self) => {
        wasReady = true
        starting--
        Deferred.doneUnsafe(ready, Effect.void)
        laneEvents.ready(self)
      },
      gone: (self, exit) => {
        fibers.delete(self)
        engine.lanes.delete(self)
        const moved = exit.redeliver !== undefined
        Deferred.doneUnsafe(ready, Effect.fail(new StartFailure(startCause(self, exit), self.initializerFailed, moved)))
        Deferred.doneUnsafe(gone, Effect.void)
        // A worker that never came up is this fiber's affair: it may be tried again.
        if (wasReady) laneEvents.gone(self, exit)
        else engine.losses.exited(self, exit)
      }
    })
    fibers.set(lane, fiber as Fiber.Fiber<void>)
    engine.lanes.add(lane)
    tellWorkerStart(engine, lane)
    lane.open(engine.backend, spec(), setup)
    const late = new StartFailure(new TaskTimeoutError({ clock: "start", after: options.startTimeout }))
    const placed = lane.place?.placed
    const overdue = Effect.andThen(pause(options.startTimeout), Effect.fail(late))
    const tooLate = placed === undefined ? overdue : Effect.andThen(Effect.promise(() => placed), overdue)
    return Effect.raceFirst(Deferred.await(ready), tooLate).pipe(
      Effect.andThen(Deferred.await(gone)),
      Effect.ensuring(end(engine, lane, Deferred.await(gone))),
      Effect.ensuring(Effect.sync(() => engine.lanes.delete(lane) && undefined))
    )
  })

  const worker = life.pipe(
    Effect.retry({ times: RESTARTS, schedule: pauses, while: ({ final, moved }) => !final && !moved }),
    Effect.catch((failure) =>
      Effect.sync(() => {
        starting--
        if (failure.moved) engine.pump()
        else engine.break(failure.cause)
      })
    )
  )

  return {
    get starting() {
      return starting
    },
    start: () => {
      starting++
      outside(() => Effect.runSync(Effect.forkIn(worker, scope, { startImmediately: true })))
    },
    retire: (lane) => {
      const fiber = fibers.get(lane)
      if (fiber !== undefined) Effect.runFork(Fiber.interrupt(fiber))
    },
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

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
    const within = (millis: number) => Effect.raceFirst(gone, pause(millis))
    const asked = Effect.suspend(() => {
      lane.stop()
      return within(engine.options.grace)
    })
    const forced = Effect.suspend(() => {
      if (lane.state === "gone") return Effect.void
      lane.kill()
      return within(UNKILLABLE_AFTER)
    })
    const abandoned = Effect.sync(() => lane.state === "gone" ? undefined : engine.losses.abandoned(lane))
    const idle = lane.state === "ready" && lane.idle
    return (idle ? Effect.andThen(asked, forced) : forced).pipe(Effect.andThen(abandoned))
  })

/** A pause that does not keep the process alive. */
const pause = (millis: number): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), Math.min(millis, LONGEST_DELAY))
    timer.unref()
    return Effect.sync(() => clearTimeout(timer))
  })
