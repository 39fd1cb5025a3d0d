// One program twice: in promises, and in Effect.
//
// Python:  try: print(executor.submit(fetch_user, id).result().name)
//          except UserNotFound as error: print("nobody is called", error.id)

import { Executor } from "@futures/core"
import * as Effect from "effect/Effect"
import { backend, backends } from "./backends.ts"
import { fetchUser, UserNotFound } from "./tasks/users.ts"

const ids = ["ada", "grace"]

// Instances speak Promise: a failure is thrown, and recognised by its class.
const greet = async (executor: Executor, id: string) => {
  try {
    const user = await executor.submit(fetchUser, id).result()
    return `hello ${user.name}`
  } catch (error) {
    if (error instanceof UserNotFound) return `nobody is called ${error.id}`
    throw error
  }
}

// Statics speak Effect: a failure is in the type, and the compiler knows once it is dealt with.
const greetEffect = Effect.fnUntraced(
  function*(id: string) {
    const user = yield* Executor.run(fetchUser, id)
    return `hello ${user.name}`
  },
  Effect.catchTag("UserNotFound", (error) => Effect.succeed(`nobody is called ${error.id}`))
)

await using executor = Executor.open(backends, { backend, maxWorkers: 2 })
for (const id of ids) console.log(`promise: ${await greet(executor, id)}`)

const program = Effect.forEach(ids, (id) => greetEffect(id))
for (const greeting of await Effect.runPromise(Effect.provideService(program, Executor, executor))) {
  console.log(`effect:  ${greeting}`)
}
