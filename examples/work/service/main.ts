// An Effect service that depends on an executor, on threads here and on nothing in its test.
//
//   node examples/work/service/main.ts

import { Executor } from "@futures/core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { backend, backends } from "../../backends.ts"
import { Accounts } from "./Accounts.ts"

const program = Effect.gen(function*() {
  const accounts = yield* Accounts
  const people = ["ada", "grace", "alan", "edsger"]
  yield* Effect.forEach(people, (name) => accounts.register(name, `${name}'s secret`), { concurrency: "unbounded" })
  yield* accounts.signIn("ada", "ada's secret")
  console.log("ada is in")
  yield* accounts.signIn("grace", "ada's secret")
}).pipe(Effect.catchTag("WrongPassword", ({ name }) => Effect.sync(() => console.log(`${name} is not let in`))))

const layer = Layer.provide(
  Accounts.layer,
  Layer.effect(
    Executor,
    Effect.acquireRelease(
      Effect.sync(() => Executor.open(backends, { backend })),
      (executor) => Effect.promise(() => executor.shutdown())
    )
  )
)

await Effect.runPromise(Effect.provide(program, layer))
