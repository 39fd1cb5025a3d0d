/** The input of a map: pulled as it is needed, whatever kind of iterable it is. */
import { InvalidOptionError } from "../ExecutorError.ts"

type Source = Iterator<unknown> | AsyncIterator<unknown>

export class MapInput {
  readonly #source: Source
  /** The input itself, where items can be taken out of it many at a time. */
  readonly #list: ReadonlyArray<unknown> | undefined
  /** Whether each item is a tuple of arguments. */
  readonly #spread: boolean
  readonly #wake: () => void
  /** An item that took its time, and is here now. */
  #arrived: Array<unknown> = []
  /** Items that were pulled so far. */
  pulled = 0
  /** Whether an item is on its way. */
  isPulling = false
  /** Whether there is nothing more to pull. */
  isOver = false
  /** What the input threw, instead of an item. */
  error: { readonly error: unknown } | undefined

  /** `wake` is called when an item has come that took its time. */
  constructor(items: unknown, spread: boolean, wake: () => void) {
    this.#source = iteratorOf(items)
    this.#list = !spread && isOrdinaryList(items) ? items : undefined
    this.#spread = spread
    this.#wake = wake
  }

  /** The next items that can be had at once, at most so many. When there are fewer, it is over, or one is on its way. */
  take(most: number): ArrayLike<unknown> {
    if (this.#arrived.length > 0) {
      const items = this.#arrived
      this.#arrived = []
      return items
    }
    if (this.isPulling || this.isOver) return []
    return this.#list === undefined ? this.#pull(most) : this.#slice(this.#list, most)
  }

  close(): unknown {
    if (this.isOver) return undefined
    this.isOver = true
    return this.#source.return?.()
  }

  #slice(list: ReadonlyArray<unknown>, most: number): ArrayLike<unknown> {
    const items = list.slice(this.pulled, this.pulled + most)
    this.pulled += items.length
    // As an iterator sees it: at the end it is over, also when the list grows afterwards.
    if (items.length < most) this.isOver = true
    return items
  }

  #pull(most: number): ArrayLike<unknown> {
    const items: Array<unknown> = []
    try {
      while (items.length < most) {
        const next = this.#source.next()
        if (next instanceof Promise) {
          this.#await(next)
          break
        }
        if (!this.#add(next, items)) break
      }
    } catch (error) {
      this.#fail(error)
    }
    return items
  }

  #await(next: Promise<IteratorResult<unknown>>): void {
    this.isPulling = true
    next.then((result) => this.isOver || this.#add(result, this.#arrived)).then(
      undefined,
      (error: unknown) => this.#fail(error)
    ).finally(() => {
      this.isPulling = false
      this.#wake()
    })
  }

  #add(result: IteratorResult<unknown>, items: Array<unknown>): boolean {
    if (result.done === true) {
      this.isOver = true
      return false
    }
    items.push(this.#spread ? [...result.value as Iterable<unknown>] : result.value)
    this.pulled++
    return true
  }

  #fail(error: unknown): void {
    this.isOver = true
    this.error = { error }
  }
}

const iteratorOf = (items: unknown): Source => {
  const asynchronous = (items as Partial<AsyncIterable<unknown>> | null | undefined)?.[Symbol.asyncIterator]
  if (typeof asynchronous === "function") return asynchronous.call(items)
  const synchronous = (items as Partial<Iterable<unknown>> | null | undefined)?.[Symbol.iterator]
  if (typeof synchronous === "function") return synchronous.call(items)
  throw new InvalidOptionError({ option: "items", received: items, expected: "an Iterable or an AsyncIterable" })
}

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as Iterable<unknown>

/** An array or typed array that nobody taught to iterate in another way. */
const isOrdinaryList = (items: unknown): items is ReadonlyArray<unknown> => {
  const iterates = (items as Iterable<unknown>)[Symbol.iterator]
  if (Array.isArray(items)) return iterates === Array.prototype[Symbol.iterator]
  // A Buffer's `slice` would share its memory.
  return ArrayBuffer.isView(items) && iterates === typedArray[Symbol.iterator] && !Buffer.isBuffer(items)
}

/** How many items there are, where that can be told without pulling them: arrays, typed arrays, sets, maps. */
export const countOf = (items: unknown): number | undefined => {
  // The length of a string is not the number of its characters.
  if (typeof items !== "object" || items === null) return undefined
  const { length, size } = items as { readonly length?: unknown; readonly size?: unknown }
  return [length, size].find((each) => typeof each === "number")
}
