/**
 * The calls that an `AbortSignal` ends. One listener for each signal, whatever number of calls it serves: Node walks the whole list of listeners
 * for each that is added or removed, so a listener for each call would take quadratic time.
 */
import { abortedBy } from "./Failure.ts"
import type { FutureCell } from "./FutureCell.ts"
import type { CallEnder } from "./limits.ts"

interface SignalWatch {
  /** The calls that have not settled, with the executor that can end each. */
  readonly calls: Map<FutureCell, CallEnder>
  readonly listener: () => void
}

const watches = new WeakMap<AbortSignal, SignalWatch>()

/** Ends the call when the signal is aborted, until the call settles. The signal is not aborted yet. */
export const endOnAbort = (signal: AbortSignal, cell: FutureCell, ender: CallEnder): void => {
  const watch = watches.get(signal) ?? watchOf(signal)
  watch.calls.set(cell, ender)
  cell.observe((settled) => {
    watch.calls.delete(settled)
    // A signal that lives long keeps no listener between two calls.
    if (watch.calls.size === 0) unwatch(signal, watch)
  })
}

const watchOf = (signal: AbortSignal): SignalWatch => {
  const calls = new Map<FutureCell, CallEnder>()
  const listener = (): void => {
    const failure = abortedBy(signal)
    for (const [cell, ender] of calls) ender.abort(cell, failure)
  }
  const watch: SignalWatch = { calls, listener }
  watches.set(signal, watch)
  signal.addEventListener("abort", listener, { once: true })
  return watch
}

const unwatch = (signal: AbortSignal, watch: SignalWatch): void => {
  if (watches.get(signal) !== watch) return
  watches.delete(signal)
  signal.removeEventListener("abort", watch.listener)
}
