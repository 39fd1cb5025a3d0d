/**
 * `@futures/core` as workers see it (export condition `futures-worker`): tasks and errors at once, everything else when it is first used.
 *
 * Task modules import `Task` from `@futures/core`. Were that the whole package, every worker would load the engine and Effect and start three times
 * slower; a task that itself uses an executor pays for it when it does.
 */
import type * as core from "./index.ts"
import { currentExecutor } from "./worker/nested.ts"
import { process } from "./worker/process.ts"

export * from "./ExecutorError.ts"
export * as Task from "./Task.ts"

let loaded: typeof core | undefined
const load = (): typeof core =>
  loaded ??= process.getBuiltinModule("node:module").createRequire(import.meta.url)(
    import.meta.url.endsWith(".ts") ? "./index.ts" : "./index.js"
  ) as typeof core

/** Stands for a value of the package, and loads it when something is asked of it. */
const later = <K extends keyof typeof core>(name: K, light: object = {}): (typeof core)[K] => {
  const real = (): object => load()[name] as object
  const proxy: object = new Proxy(function() {}, {
    apply: (_, self, args) => Reflect.apply(real() as never, self, args),
    construct: (_, args, target) =>
      Reflect.construct(real() as never, args, target === proxy ? real() as never : target),
    get: (_, property) => Object.hasOwn(light, property) ? Reflect.get(light, property) : Reflect.get(real(), property),
    getPrototypeOf: () => Reflect.getPrototypeOf(real()),
    has: (_, property) => Reflect.has(real(), property)
  })
  return proxy as (typeof core)[K]
}

export const Executor = later("Executor", { current: currentExecutor })
export const Future = later("Future")
export const InlineExecutor = later("InlineExecutor")
export const asCompleted = later("asCompleted")
export const gather = later("gather")
export const wait = later("wait")
export const withExecutor = later("withExecutor")
