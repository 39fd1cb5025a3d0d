/**
 * Calls that a task hands in itself, to the executor that it runs on.
 *
 * The task's side is an executor like any other, whose one worker is the parent: calls go up as frames, outcomes come down. It needs the engine, which
 * a worker loads when the first task asks for it.
 */
import { InvalidStateError } from "../ExecutorError.ts"
import type * as NestedModule from "../nestedExecutor.ts"
import type { CallContext } from "./CallContext.ts"
import { currentTask } from "./context.ts"
import { process } from "./process.ts"

type Make = typeof NestedModule.nestedExecutor

let factory: Make | undefined

/** Says how to make one, where the engine is loaded anyway. */
export const provideNested = (nestedExecutor: Make): void => {
  factory = nestedExecutor
}

const load = (): Make => {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js"
  const { createRequire } = process.getBuiltinModule("node:module")
  return factory ??=
    (createRequire(import.meta.url)(`../nestedExecutor.${extension}`) as typeof NestedModule).nestedExecutor
}

/** The executor that the running call runs on, as seen from inside. Throws `InvalidStateError` outside of a call. */
export const currentExecutor = (): NestedModule.NestedExecutor => {
  const context = currentTask() as CallContext | undefined
  if (context === undefined) throw new InvalidStateError("Executor.current() answers inside a running task only")
  return later(() => load()(context))
}

/** An object that is made when something is asked of it. */
const later = <A extends object>(make: () => A): A => {
  let made: A | undefined
  const real = (): A => made ??= make()
  return new Proxy({}, {
    get: (_, property) => {
      const value = Reflect.get(real(), property) as unknown
      return typeof value === "function" ? value.bind(real()) : value
    },
    has: (_, property) => Reflect.has(real(), property),
    getPrototypeOf: () => Reflect.getPrototypeOf(real())
  }) as A
}
