/** Several futures at once: `wait`, `asCompleted`, `gather`. They read futures through their public face, so executors may be mixed. */
import { toMillis } from "../duration.ts"
import type { DurationInput } from "../duration.ts"
import { InvalidOptionError, InvalidStateError, TaskTimeoutError } from "../ExecutorError.ts"
import type { Future, WaitOptions } from "../Future.ts"
import { performance } from "../timers.ts"
import { ownOptions } from "../unknownOption.ts"
import { goOn as outside, State } from "./Call.ts"
import type { FutureCell } from "./FutureCell.ts"
import { patience } from "./PatientTimer.ts"
import type { PatientTimer } from "./PatientTimer.ts"
import { isTurnLong, nextTurn } from "./turn.ts"
import { waitMillis } from "./waitOptions.ts"

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

/** How many bytes have been received of outcomes that are not complete, at least one of which may be of these. */
const arriving = (futures: Iterable<Future<any, any>>): number => {
  let bytes = 0
  for (const future of futures) if (!future.done()) bytes += cell(future).lane?.arriving ?? 0
  return bytes
}

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
export const wait = <const T extends Iterable<Future<any, any>>>(
  futures: T,
  options?: WaitManyOptions
): Promise<WaitResult<MemberOf<T>>> =>
  new Promise((resolve, reject) => {
    const { returnWhen = "allCompleted", timeout = Infinity } = ownOptions(options, ["returnWhen", "timeout"], "wait")
    if (returnWhen !== "allCompleted" && returnWhen !== "firstCompleted" && returnWhen !== "firstException") {
      const expected = `"allCompleted", "firstCompleted" or "firstException"`
      return reject(new InvalidOptionError({ option: "returnWhen", received: returnWhen, expected }))
    }
    const after = toMillis(timeout, "timeout")
    const all = [...new Set(futures as Iterable<MemberOf<T>>)]
    const ends = (future: FutureCell): boolean =>
      returnWhen === "firstCompleted" || (returnWhen === "firstException" && future.code === State.Failed)
    resolve(
      settled(all, after, ends).then(() => {
        const done = all.filter((future) => future.done())
        return { done: new Set(done), notDone: new Set(all.filter((future) => !future.done())) }
      })
    )
  })

/** Resolves when all futures are done, one of them has an outcome that ends the waiting, or the time (ms) is over. */
const settled = (
  all: ReadonlyArray<Future<any, any>>,
  after: number,
  endsWaiting: (future: FutureCell) => boolean
): Promise<void> =>
  new Promise((resolve) => {
    let left = all.length
    let timer: PatientTimer | undefined
    let goOn = (): void => {}

    const ends = (future: FutureCell): boolean => left === 0 || endsWaiting(future)
    const finish = (): void => {
      timer?.clear()
      goOn()
      for (const future of all) cell(future).unobserve(observer)
      resolve()
    }
    const observer = (future: FutureCell): void => {
      left--
      if (ends(future)) finish()
    }

    const done = all.filter((future) => future.done()).map(cell)
    left -= done.length
    if (left === 0 || after === 0 || done.some(ends)) return finish()
    for (const future of all) {
      if (future.done()) continue
      cell(future).observe(observer)
    }
    goOn = park(all)
    if (after !== Infinity) timer = patience(after, finish, () => arriving(all))
  })

/** A running `asCompleted`: the futures as they finish, and a way to add more. */
export interface AsCompleted<F extends Future<any, any>> extends AsyncIterableIterator<F> {
  /**
   * Adds a future to those that are awaited, such as one that was submitted because of an earlier result. A future that was given before counts once.
   * Throws `InvalidStateError` after the iteration has ended.
   */
  add(future: F): void
}

/**
 * The futures as they finish, each once, those already done first (`concurrent.futures.as_completed`). A future that was yielded is not retained.
 * `timeout` counts from the call; when it runs out the iteration throws `TaskTimeoutError` (`clock: "wait"`). Leaving the loop early cancels nothing.
 * The loop ends when no future is left; `add` takes more until then.
 *
 * ```ts
 * const running = asCompleted([executor.submit(fib, 20)])
 * for await (const job of running) {
 *   const value = await job.result()
 *   if (value < 10_000) running.add(executor.submit(fib, 25))
 * }
 * ```
 */
export const asCompleted = <const T extends Iterable<Future<any, any>>>(
  futures: T,
  options?: WaitOptions
): AsCompleted<MemberOf<T>> =>
  new Completions<MemberOf<T>>(futures as Iterable<any>, waitMillis(options, "asCompleted"))

class Completions<F extends Future<any, any>> implements AsCompleted<F> {
  readonly #after: number
  readonly #deadline: number
  /** How many futures there were when a time-out is reported. */
  #given = 0
  /** Futures that are not done. */
  readonly #waiting = new Set<F>()
  /** Futures that are done and not yielded yet. */
  readonly #finished = new Set<F>()
  /** Futures that were yielded; held weakly. */
  readonly #yielded = new WeakSet<object>()
  readonly #observer = (future: FutureCell): void => {
    this.#waiting.delete(future as unknown as F)
    this.#finished.add(future as unknown as F)
    this.#wake?.()
  }
  #wake: (() => void) | undefined
  #ended = false
  #steps = 0
  /** The step before: steps run one after the other, as those of an async generator. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(futures: Iterable<F>, after: number) {
    this.#after = after
    this.#deadline = performance.now() + this.#after
    for (const future of futures) this.add(future)
  }

  add(future: F): void {
    if (this.#ended) throw new InvalidStateError("asCompleted has ended: no future can be added to it")
    if (this.#waiting.has(future) || this.#finished.has(future) || this.#yielded.has(future)) return
    this.#given++
    this.#waiting.add(future)
    cell(future).observe(this.#observer)
    this.#wake?.()
  }

  next(): Promise<IteratorResult<F>> {
    const step = this.#last.then(() => this.#step())
    // Not with its outcome, which would hold the future that was yielded last.
    this.#last = step.then(nothing, nothing)
    return step
  }

  async return(): Promise<IteratorResult<F>> {
    this.#end()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#end()
    return Promise.resolve()
  }

  async #step(): Promise<IteratorResult<F>> {
    while (!this.#ended && this.#finished.size === 0 && this.#waiting.size > 0) {
      const goOn = park(this.#waiting)
      try {
        await this.#arrival()
      } catch (error) {
        this.#end()
        throw error
      } finally {
        goOn()
      }
    }
    if (++this.#steps % 64 === 0 && isTurnLong()) await nextTurn()
    const [future] = this.#finished
    if (this.#ended || future === undefined) {
      this.#end()
      return { done: true, value: undefined }
    }
    this.#finished.delete(future)
    this.#yielded.add(future)
    // Nothing here holds its result from now on.
    return { done: false, value: future }
  }

  #end(): void {
    this.#ended = true
    for (const future of this.#waiting) cell(future).unobserve(this.#observer)
    this.#waiting.clear()
    this.#finished.clear()
    this.#wake?.()
  }

  #arrival(): Promise<void> {
    return new Promise((resolve, reject) => {
      const left = this.#deadline - performance.now()
      const timer = left === Infinity
        ? undefined
        : patience(Math.max(left, 0), () => {
          this.#wake = undefined
          reject(waitRanOut(this.#after, this.#waiting, this.#given))
        }, () => arriving(this.#waiting))
      this.#wake = () => {
        this.#wake = undefined
        timer?.clear()
        resolve()
      }
    })
  }
}

const nothing = (): void => {}

/** Labels that a message lists, at most. */
const MOST_LABELS = 3

const waitRanOut = (after: number, unfinished: ReadonlySet<Future<any, any>>, given: number): TaskTimeoutError => {
  const labels = new Set<string>()
  for (const future of unfinished) {
    if (labels.size > MOST_LABELS) break
    labels.add(JSON.stringify(future.info.label))
  }
  const list = [...labels].slice(0, MOST_LABELS).join(", ") + (labels.size > MOST_LABELS ? ", ..." : "")
  return new TaskTimeoutError({
    clock: "wait",
    after,
    message: `Timed out after ${after} ms (wait timeout): ${unfinished.size} of ${given} futures unfinished (${list})`
  })
}

/** The results of futures, as `Promise.all` types them: of a tuple a tuple, of any other iterable an array. */
export type Results<T extends Iterable<Future<any, any>>> = T extends readonly [] | readonly [any, ...any]
  ? { -readonly [K in keyof T]: ResultOf<T[K]> }
  : Array<ResultOf<MemberOf<T>>>

type ResultOf<F> = F extends Future<infer A, any> ? A : never

/** What an iterable iterates over. */
export type MemberOf<T> = T extends Iterable<infer F extends Future<any, any>> ? F : never

/**
 * All results, in the order of the futures, or the first failure to happen; the other calls continue (`asyncio.gather`). Futures of several types give a
 * tuple of their results, like `Promise.all`. After `timeout` it rejects with `TaskTimeoutError` (`clock: "wait"`), which counts the unfinished futures.
 *
 * ```ts
 * const [n, text] = await gather([executor.submit(fib, 20), executor.submit(who, 1)], { timeout: "1 minute" })
 * ```
 */
export const gather = async <const T extends Iterable<Future<any, any>>>(
  futures: T,
  options?: WaitOptions
): Promise<Results<T>> => {
  const after = waitMillis(options, "gather")
  const all = [...futures as Iterable<Future<any, any>>]
  if (after !== Infinity) {
    const given = [...new Set(all)]
    await settled(given, after, (future) => future.code !== State.Succeeded)
    const unfinished = given.filter((future) => !future.done())
    // A failure that ended the waiting is the outcome.
    const hasFailed = given.some((future) => future.done() && cell(future).code !== State.Succeeded)
    if (unfinished.length > 0 && !hasFailed) throw waitRanOut(after, new Set(unfinished), given.length)
  }
  return Promise.all(all.map((future) => future.result())) as Promise<Results<T>>
}
