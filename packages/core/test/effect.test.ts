import { assert, it } from "@effect/vitest"
import { Executor, InlineExecutor, InvalidOptionError, Task } from "@futures/core"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { describe } from "vitest"

const { add } = Task.module(import.meta, { add: (a: number, b: number) => a + b })
const backends = { inline: InlineExecutor }

const configured = (variables: Record<string, string>) =>
  Executor.run(add, 1, 2).pipe(
    Effect.provide(Executor.layerConfig(backends)),
    Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(variables)))
  )

describe("Executor.layerConfig", () => {
  it.effect("opens the backend that the configuration names", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* configured({ EXECUTOR_BACKEND: "inline", EXECUTOR_MAX_WORKERS: "2" }), 3)
    }))

  it.effect("opens the first backend when the configuration names none", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* configured({}), 3)
    }))

  for (
    const [variable, value] of [
      ["EXECUTOR_BACKEND", "cloud"],
      ["EXECUTOR_MAX_WORKERS", "many"],
      ["EXECUTOR_MIN_WORKERS", "-1"],
      ["EXECUTOR_GRACE", "soon"],
      ["EXECUTOR_WHEN_FULL", "explode"]
    ] as const
  ) {
    it.effect(`names ${variable} when its value is wrong`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(configured({ [variable]: value }))
        assert.instanceOf(error, InvalidOptionError)
        assert.strictEqual((error as InvalidOptionError).option, variable)
        assert.strictEqual((error as InvalidOptionError).received, JSON.stringify(value))
      }))
  }
})
