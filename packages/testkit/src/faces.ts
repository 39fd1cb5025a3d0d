/** From the Effect face to promises, for laws about both. */
import { Executor } from "@futures/core"
import * as Effect from "effect/Effect"
import type { Trial } from "./Trial.ts"

/** Runs an Effect that needs an executor on one that is open. */
export const on = <A, E>(executor: Executor, effect: Effect.Effect<A, E, Executor>): Promise<A> =>
  Effect.runPromise(Effect.provideService(effect, Executor, executor))

/** Runs an Effect under the layer of the backend, as programs do. */
export const underLayer = <A, E>(trial: Trial, effect: Effect.Effect<A, E, Executor>): Promise<A> =>
  Effect.runPromise(Effect.provide(effect, trial.executor.layer({ maxWorkers: 1 })))

/** What an Effect fails with; a defect when it succeeds. */
export const failure = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<E, A, R> => Effect.flip(effect)
