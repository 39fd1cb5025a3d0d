import { Executor } from "@futures/core"
import type { TaskError } from "@futures/core"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { hash, verify } from "./tasks.ts"

export class NameTaken extends Data.TaggedError("NameTaken")<{ readonly name: string }> {}
export class WrongPassword extends Data.TaggedError("WrongPassword")<{ readonly name: string }> {}

/** Accounts with passwords. Where they are hashed is the affair of whoever provides the executor. */
export class Accounts extends Context.Service<Accounts, {
  readonly register: (name: string, password: string) => Effect.Effect<void, NameTaken | TaskError>
  readonly signIn: (name: string, password: string) => Effect.Effect<void, WrongPassword | TaskError>
}>()("examples/Accounts") {
  static readonly layer = Layer.effect(
    Accounts,
    Effect.gen(function*() {
      const executor = yield* Executor
      const hashes = new Map<string, string>()
      return {
        register: Effect.fnUntraced(function*(name: string, password: string) {
          if (hashes.has(name)) return yield* new NameTaken({ name })
          // The name is taken while its password is being hashed.
          hashes.set(name, "")
          const hashing = Effect.onError(Executor.run(hash, password), () => Effect.sync(() => hashes.delete(name)))
          hashes.set(name, yield* hashing)
        }, Effect.provideService(Executor, executor)),
        signIn: Effect.fnUntraced(function*(name: string, password: string) {
          const hashed = hashes.get(name)
          if (!hashed || !(yield* Executor.run(verify, password, hashed))) return yield* new WrongPassword({ name })
        }, Effect.provideService(Executor, executor))
      }
    })
  )
}
