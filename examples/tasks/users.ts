import { Task } from "@futures/core"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

export class UserNotFound extends Data.TaggedError("UserNotFound")<{ readonly id: string }> {}

const names = new Map([["ada", "Ada Lovelace"], ["alan", "Alan Turing"]])

export const { fetchUser } = Task.module(import.meta, {
  /** An Effect: its failure is part of its type, and crosses the wire as what it is. */
  fetchUser: (id: string) =>
    Effect.gen(function*() {
      const name = names.get(id)
      if (name === undefined) return yield* new UserNotFound({ id })
      return { id, name }
    })
}, { errors: [UserNotFound] })
