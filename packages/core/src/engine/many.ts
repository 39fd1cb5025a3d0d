/** Several futures at once: `wait`, `asCompleted`, `gather`. They read futures through their public face, so executors may be mixed. */
import { LONGEST_DELAY, toMillis } from "../duration.ts"
import type { DurationInput } from "../duration.ts"
import { InvalidOptionError, TaskTimeoutError } from "../ExecutorError.ts"
import type { Future } from "../Future.ts"
import { goOn as outside, State } from "./Call.ts"
import type { FutureCell } from "./FutureCell.ts"

/** Options of `wait` for several futures (`concurrent.futures.wait`). */
export interface WaitManyOptions {
  /** `"allCompleted"` by default. `"firstException"`: the first that failed; a cancelled one is no exception. */
  readonly returnWhen?: "allCompleted" | "firstCompleted" | "firstException" | undefined
  /** How long to wait; when it runs out, the answer is what is known by then. */
  readonly timeout?: DurationInput | undefined
}

/** What `wait` answers (`concurrent.futures.wait`). */
export interface WaitResult<F> {
  /** Those that have an outcome. */
  readonly done: Set<F>
  /** Those that have none yet. */
  readonly notDone: Set<F>
}

const cell = (future: Future<any, any>): FutureCell => future as FutureCell

/** The task that waits gives its slot back, once, until the answer is called. */
const park = (futures: Iterable<Future<any, any>>): () => void => {
  for (const future of futures) {
    const release = future.done() ? outside : cell(future).parkWaiter()
    if (release !== outside) return release
  }
  return outside
}

/**
 * Waits for several futures: until all are done, the first is, or the first has failed. Never rejects because of a task
 * (`concurrent.futures.wait`). A future given twice counts once.
 *
 * ```ts
 * const { done, notDone } = await wait(jobs, { returnWhen: "firstCompleted" })
 * ```
 */
export const wait = <F extends Future<any, any>>(
  futures: Iterable<F>,
  options: WaitManyOptions = {}
): Promise<WaitResult<F>> =>
  new Promise((resolve, reject) => {
    const returnWhen = options.returnWhen ?? "allCompleted"
    if (returnWhen !== "allCompleted" && returnWhen !== "firstCompleted" && returnWhen !== "firstException") {
      const expected = `"allCompleted", "firstCompleted" or "firstException"`
      return reject(new InvalidOptionError({ option: "returnWhen", received: returnWhen, expected }))
    }
    const after = options.timeout === undefined ? Infinity : toMillis(options.timeout, "timeout")
    const all = [...new Set(futures)]
    let left = all.length
    let timer: NodeJS.Timeout | undefined
    let goOn = (): void => {}

    const ends = (future: FutureCell): boolean =>
      left === 0 || returnWhen === "firstCompleted" || (returnWhen === "firstException" && future.code === State.Failed)
    const finish = (): void => {
      clearTimeout(timer)
      goOn()
      for (const future of all) cell(future).unobserve(observer)
      const done = all.filter((future) => future.done())
      resolve({ done: new Set(done), notDone: new Set(all.filter((future) => !future.done())) })
    }
    const observer = (future: FutureCell): void => {
      left--
      if (ends(future)) finish()
    }

    const settled = all.filter((future) => future.done()).map(cell)
    left -= settled.length
    if (left === 0 || after === 0 || settled.some(ends)) return finish()
    for (const future of all) {
      if (future.done()) continue
      cell(future).observe(observer)
    }
    goOn = park(all)
    if (after !== Infinity) timer = setTimeout(finish, Math.min(after, LONGEST_DELAY))
  })

/**
 * The futures as they are done, each once, those already done first (`concurrent.futures.as_completed`). `timeout` counts from the call; when it runs
 * out the iteration throws `TaskTimeoutError` (`clock: "wait"`). Leaving the loop early cancels nothing.
 *
 * ```ts
 * for await (const job of asCompleted(jobs)) console.log(await job.result())
 * ```
 */
export const asCompleted = <F extends Future<any, any>>(
  futures: Iterable<F>,
  options: { readonly timeout?: DurationInput | undefined } = {}
): AsyncIterable<F> => {
  const after = options.timeout === undefined ? Infinity : toMillis(options.timeout, "timeout")
  const deadline = performance.now() + after
  const all = new Set(futures)
  const finished: Array<F> = []
  /** How many of `finished` were handed out. */
  let taken = 0
  let wake = (): void => {}
  const observer = (future: FutureCell): void => {
    finished.push(future as unknown as F)
    wake()
  }
  for (const future of all) cell(future).observe(observer)
  return {
    async *[Symbol.asyncIterator]() {
      try {
        // Futures leave the set as they are handed out, so that nothing here holds their results.
        while (all.size > 0) {
          if (taken === finished.length) {
            const goOn = park(all)
            try {
              await arrival()
            } finally {
              goOn()
            }
          }
          const future = finished[taken]!
          delete finished[taken++]
          all.delete(future)
          yield future
        }
      } finally {
        for (const future of all) cell(future).unobserve(observer)
      }
    }
  }

  function arrival(): Promise<void> {
    return new Promise((resolve, reject) => {
      const left = deadline - performance.now()
      const timer = left === Infinity
        ? undefined
        : setTimeout(
          () => reject(new TaskTimeoutError({ clock: "wait", after })),
          Math.min(Math.max(left, 0), LONGEST_DELAY)
        )
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** All results, in the order of the futures, or the first failure to happen; the others go on (`asyncio.gather`). */
export const gather = <A>(futures: Iterable<Future<A, any>>): Promise<Array<A>> =>
  Promise.all([...futures].map((future) => future.result()))
