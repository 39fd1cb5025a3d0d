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
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import type { LinkExit, SpawnSpec } from "../Backend.ts"
import type { Engine, Supervisor } from "./Engine.ts"
import { workerExecArgv } from "./execArgv.ts"
import { Lane } from "./Lane.ts"
import { exitCause } from "./lost.ts"
import { UNKILLABLE_AFTER } from "./StopLadder.ts"

/** A worker that fails to start is tried again so many times before the executor counts as broken. */
const RESTARTS = 2
const pauses = Schedule.exponential("50 millis")

/** Why a worker did not come up. */
class StartFailure {
  readonly _tag = "StartFailure"
  readonly cause: unknown
  constructor(cause: unknown) {
    this.cause = cause
  }
}

export const supervise = (engine: Engine): Supervisor => {
  const scope = Scope.makeUnsafe("parallel")
  let generation = 0
  let workers = 0

  const spec = (): SpawnSpec => ({
    name: `${engine.options.name}-${++workers}`,
    env: { ...process.env, ...engine.options.env },
    execArgv: workerExecArgv(engine.options.execArgv),
    resourceLimits: engine.options.resourceLimits
  })

  /** One worker, from birth to death. Fails when it never comes up. */
  const life = Effect.suspend(() => {
    const ready = Deferred.makeUnsafe<void, StartFailure>()
    const gone = Deferred.makeUnsafe<void>()
    const { options, laneEvents } = engine
    const lane: Lane = new Lane(engine.id, ++generation, {
      ...laneEvents,
      ready: () => {
        Deferred.doneUnsafe(ready, Effect.void)
        laneEvents.ready()
      },
      gone: (_: Lane, exit: LinkExit) => {
        const cause = exitCause(lane, exit) ?? new Error(`The worker ended before it was ready (${exitText(exit)})`)
        const neverReady = Deferred.doneUnsafe(ready, Effect.fail(new StartFailure(cause)))
        if (!neverReady || lane.ended) laneEvents.gone(lane, exit)
        Deferred.doneUnsafe(gone, Effect.void)
      }
    })
    engine.lanes.add(lane)
    lane.open(engine.backend, spec(), { concurrency: options.concurrency, pipeOutput: options.stdio === "pipe" })
    const startTimeout = Effect.andThen(
      pause(options.startTimeout),
      Effect.fail(new StartFailure(new Error(`The worker was not ready within ${options.startTimeout} ms`)))
    )
    return Effect.raceFirst(Deferred.await(ready), startTimeout).pipe(
      Effect.andThen(Deferred.await(gone)),
      Effect.onError(() => Effect.sync(() => lane.ended ? undefined : engine.lanes.delete(lane))),
      Effect.ensuring(end(lane, Deferred.await(gone), options.grace))
    )
  })

  const worker = life.pipe(
    Effect.retry({ times: RESTARTS, schedule: pauses }),
    Effect.catch((failure) => Effect.sync(() => engine.break(failure.cause)))
  )

  return {
    start: () => void Effect.runSync(Effect.forkIn(worker, scope, { startImmediately: true })),
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

/** Ends a worker: by asking when it is idle, by force when it does not answer or is busy; gives up on one that cannot be ended. */
const end = (lane: Lane, gone: Effect.Effect<void>, grace: number): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (lane.state === "gone") return Effect.void
    const within = (millis: number) => Effect.raceFirst(gone, pause(millis))
    const asked = Effect.suspend(() => {
      lane.stop()
      return within(grace)
    })
    const forced = Effect.suspend(() => {
      if (lane.state === "gone") return Effect.void
      lane.kill()
      return within(UNKILLABLE_AFTER)
    })
    const abandoned = Effect.sync(() => lane.abandon())
    return (lane.state === "ready" && lane.load === 0 ? Effect.andThen(asked, forced) : forced).pipe(
      Effect.andThen(abandoned)
    )
  })

/** A pause that does not keep the process alive. */
const pause = (millis: number): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), Math.min(millis, 2 ** 31 - 1))
    timer.unref()
    return Effect.sync(() => clearTimeout(timer))
  })

const exitText = (exit: LinkExit): string =>
  exit.signal === undefined ? `exit code ${exit.exitCode}` : `signal ${exit.signal}`
