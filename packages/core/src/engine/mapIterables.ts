/** A map as its user sees it: an iterable of values, or of outcomes as data. */
import type { MapRun } from "./map.ts"
import type { Outcome } from "./MapChunk.ts"

/** Yields values; the first failure ends it and cancels the rest. */
export const mapValues = <A>(run: MapRun<A>): AsyncIterableIterator<A> =>
  iterable(run, (outcome) => outcome.ok ? outcome : undefined, async (outcome) => {
    await run.close()
    throw outcome.failure.build(run.label)
  })

/** Yields outcomes as data and goes on after failures (`Promise.allSettled`). */
export const mapSettled = <A>(run: MapRun<A>): AsyncIterableIterator<PromiseSettledResult<A>> =>
  iterable<A, PromiseSettledResult<A>>(
    run,
    (outcome) => outcome.ok ? { value: { status: "fulfilled", value: outcome.value } } : undefined,
    (outcome) => ({ status: "rejected", reason: outcome.failure.build(run.label) })
  )

type Failed = Extract<Outcome<never>, { readonly ok: false }>

/** An outcome that is here is yielded at once, with one promise and nothing else: that is what a million quick items cost. */
const iterable = <A, B>(
  run: MapRun<A>,
  succeeded: (outcome: Outcome<A>) => { readonly value: B } | undefined,
  failed: (outcome: Failed) => B | Promise<B>
): AsyncIterableIterator<B> => {
  const step = async (here?: Outcome<A>): Promise<IteratorResult<B>> => {
    const outcome = here ?? await run.next()
    if (outcome === undefined) return { done: true, value: undefined }
    const yielded = succeeded(outcome)
    return { done: false, value: yielded === undefined ? await failed(outcome as Failed) : yielded.value }
  }
  /** The last `next` that was asked: those asked meanwhile are answered in turn. */
  let last: Promise<unknown> | undefined
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next() {
      const here = last === undefined ? run.here() : undefined
      const yielded = here === undefined ? undefined : succeeded(here)
      if (yielded !== undefined) return Promise.resolve({ done: false, value: yielded.value })
      const next = last === undefined ? step(here) : last.then(() => step(), () => step())
      last = next
      const over = (): void => {
        if (last === next) last = undefined
      }
      next.then(over, over)
      return next
    },
    async return() {
      await run.close()
      return { done: true, value: undefined }
    }
  }
}
