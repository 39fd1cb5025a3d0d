/** Tasks that return a Stream. */
import { Task } from "@futures/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { appendFileSync } from "node:fs"
import { Missing } from "./tasksEffect.ts"

export const { numbers, numbersThenDie, numbersThenFail, openStream } = Task.module(import.meta, {
  numbers: (end: number): Stream.Stream<number> => Stream.take(Stream.iterate(0, (n) => n + 1), end),
  numbersThenDie: (end: number): Stream.Stream<number> =>
    Stream.concat(Stream.take(Stream.iterate(0, (n) => n + 1), end), Stream.die(new RangeError("a defect"))),
  numbersThenFail: (end: number): Stream.Stream<number, Missing> =>
    Stream.concat(
      Stream.take(Stream.iterate(0, (n) => n + 1), end),
      Stream.fail(new Missing({ id: "the next", tried: ["all"] }))
    ),
  /** Never ends by itself; its finalizer adds a line to a file. */
  openStream: (path: string): Stream.Stream<number> =>
    Stream.ensuring(Stream.iterate(0, (n) => n + 1), Effect.sync(() => appendFileSync(path, "finalized\n")))
}, { errors: [Missing] })
