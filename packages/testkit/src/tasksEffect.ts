/** Tasks that return an Effect. */
import { Task } from "@futures/core"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { say } from "./tasksSignals.ts"

/** A typed failure that arrives as an instance of itself. */
export class Missing
  extends Data.TaggedError("Missing")<{ readonly id: string; readonly tried: ReadonlyArray<string> }>
{}

export const { answer, die, dieOfValue, failPlain, failTagged, findIn, finalize } = Task.module(import.meta, {
  answer: (n: number): Effect.Effect<number> => Effect.andThen(Effect.yieldNow, Effect.succeed(n)),
  die: (message: string): Effect.Effect<never> => Effect.die(new RangeError(message)),
  dieOfValue: (value: unknown): Effect.Effect<never> => Effect.die(value),
  /** A typed failure that is plain data. */
  failPlain: (code: number): Effect.Effect<never, { readonly _tag: "Refused"; readonly code: number }> =>
    Effect.fail({ _tag: "Refused", code }),
  failTagged: (id: string): Effect.Effect<never, Missing> => Effect.fail(new Missing({ id, tried: ["here", "there"] })),
  /** Fails with a typed error, or succeeds. */
  findIn: (list: ReadonlyArray<string>, id: string): Effect.Effect<number, Missing> =>
    Effect.suspend(() =>
      list.includes(id) ? Effect.succeed(list.indexOf(id)) : Effect.fail(new Missing({ id, tried: list }))
    ),
  /** Never ends by itself; its finalizer says so. */
  finalize: (port: number, word: string): Effect.Effect<never> =>
    Effect.promise(() => say(port, word)).pipe(
      Effect.andThen(Effect.never),
      Effect.onInterrupt(() => Effect.promise(() => say(port, `${word} cleaned up`)))
    )
}, { errors: [Missing] })
