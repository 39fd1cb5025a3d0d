/** Variables from Effect's configuration. Apart, because `effect/Config` brings `Schema` with it. */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** Those of the variables that the `ConfigProvider` has. */
export const readVariables = (names: ReadonlyArray<string>): Effect.Effect<Map<string, string>, Config.ConfigError> =>
  Effect.gen(function*() {
    const found = new Map<string, string>()
    for (const name of names) {
      const value = yield* Config.option(Config.String(name))
      if (Option.isSome(value)) found.set(name, value.value)
    }
    return found
  })
