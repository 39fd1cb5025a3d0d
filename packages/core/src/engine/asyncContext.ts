/** Which async context code runs in: none of a caller's for what lives on, the caller's own for its callbacks. */
import { AsyncLocalStorage } from "node:async_hooks"

/**
 * Runs a function outside of any caller's async context: in the one in which this module was loaded. Workers, sockets and long timers are created
 * here, since Node keeps the context of their creation alive as long as they live, and calls their listeners in it.
 */
export const outside: <A>(run: () => A) => A = AsyncLocalStorage.snapshot()

/** The callback, bound to the async context of now. */
export const bound = <Args extends ReadonlyArray<unknown>, A>(callback: (...args: Args) => A): (...args: Args) => A =>
  AsyncLocalStorage.bind(callback)
