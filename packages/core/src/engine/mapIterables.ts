/** A map as its user sees it: an iterable of values, or of outcomes as data. */
import type { MapRun } from "./map.ts"
import type { Outcome } from "./MapChunk.ts"

/** What `mapSettled` yields: a `PromiseSettledResult` with the item that it belongs to. */
export type MapSettledResult<A, I = unknown> = PromiseSettledResult<A> & {
  /** The position of the item in the input, from 0. */
  readonly index: number
  /** The item as it was pulled, not a copy. */
  readonly item: I
}

/** Yields values; the first failure ends it and cancels the rest, and so does what stops it, behind the last value. */
export const mapValues = <A>(run: MapRun<A>): AsyncIterableIterator<A> =>
  iterable<A, A>(run, (outcome) => outcome.value, {
    failed: async (outcome) => {
      await run.close()
      throw outcome.failure.build(run.label, outcome.index)
    },
    ended: () => {
      if (run.stoppedBy !== undefined) throw run.stoppedBy.build(run.label)
    }
  })

/** Yields outcomes as data and goes on after failures (`Promise.allSettled`); what stops the map ends it. */
export const mapSettled = <A, I>(run: MapRun<A>): AsyncIterableIterator<MapSettledResult<A, I>> =>
  iterable<A, MapSettledResult<A, I>>(
    run,
    ({ index, item, value }) => ({ status: "fulfilled", value, index, item: item as I }),
    {
      failed: async ({ failure, index, item }) =>
        run.isAborted(failure)
          ? undefined
          : { value: { status: "rejected", reason: failure.build(run.label, index), index, item: item as I } },
      ended: () => {}
    }
  )

type Succeeded<A> = Extract<Outcome<A>, { readonly ok: true }>
type Failed = Extract<Outcome<never>, { readonly ok: false }>

/** What becomes of everything but values. */
interface Endings<B> {
  /** What is yielded for an item that failed; `undefined`: nothing. */
  readonly failed: (outcome: Failed) => Promise<{ readonly value: B } | undefined>
  readonly ended: () => void
}

/** An outcome that is here is yielded at once, with one promise and nothing else: that is what a million quick items cost. */
const iterable = <A, B>(
  run: MapRun<A>,
  succeeded: (outcome: Succeeded<A>) => B,
  { ended, failed }: Endings<B>
): AsyncIterableIterator<B> => {
  /** The last `next` that was called and is not settled: later ones wait for it. */
  let last: Promise<unknown> | undefined
  let calls = 0
  // One function, so that V8 finds the line that awaits it: a promise with a second reaction ends the stack of its error.
  const step = async (
    before: Promise<unknown> | undefined,
    first: Outcome<A> | undefined
  ): Promise<IteratorResult<B>> => {
    const call = ++calls
    let here = first
    try {
      if (before !== undefined) await before.catch(() => {})
      for (;;) {
        const outcome = here ?? await run.next()
        here = undefined
        if (outcome === undefined) {
          ended()
          return { done: true, value: undefined }
        }
        if (outcome.ok) return { done: false, value: succeeded(outcome) }
        const yielded = await failed(outcome)
        if (yielded !== undefined) return { done: false, value: yielded.value }
      }
    } finally {
      if (call === calls) last = undefined
    }
  }
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next() {
      const here = last === undefined ? run.here() : undefined
      if (here?.ok === true) return Promise.resolve({ done: false, value: succeeded(here) })
      const next = step(last, here)
      last = next
      return next
    },
    async return() {
      await run.close()
      return { done: true, value: undefined }
    }
  }
}
