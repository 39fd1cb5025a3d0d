/** The service of this folder, tested on the executor that has no workers: nothing is started, nothing is left. */
import { InlineExecutor } from "@futures/core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { expect, it } from "vitest"
import { Accounts } from "./Accounts.ts"

const testing = Layer.provide(Accounts.layer, InlineExecutor.layer())

const run = <A, E>(effect: Effect.Effect<A, E, Accounts>): Promise<A> =>
  Effect.runPromise(Effect.provide(effect, testing))

it("lets in who knows the password", async () => {
  const program = Effect.gen(function*() {
    const accounts = yield* Accounts
    yield* accounts.register("ada", "correct horse")
    yield* accounts.signIn("ada", "correct horse")
    return yield* Effect.flip(accounts.signIn("ada", "battery staple"))
  })
  expect(await run(program)).toMatchObject({ _tag: "WrongPassword", name: "ada" })
})

it("knows nobody who has not registered", async () => {
  const program = Effect.flatMap(Accounts, (accounts) => Effect.flip(accounts.signIn("nobody", "")))
  expect(await run(program)).toMatchObject({ _tag: "WrongPassword", name: "nobody" })
})

it("gives a name once, also to two who come at the same time", async () => {
  const program = Effect.gen(function*() {
    const accounts = yield* Accounts
    const exits = yield* Effect.forEach(["one", "two"], (password) => Effect.exit(accounts.register("ada", password)), {
      concurrency: "unbounded"
    })
    return exits.map((exit) => exit._tag)
  })
  expect((await run(program)).toSorted()).toEqual(["Failure", "Success"])
})
