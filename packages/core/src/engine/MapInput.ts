/** The input of a map: pulled as it is needed, whatever kind of iterable it is. */
import { InvalidOptionError } from "../ExecutorError.ts"
import { sizeOf } from "../wire/size.ts"
import { nextTurn } from "./turn.ts"

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
  /** Estimated size of the items taken last. */
  bytes = 0
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

  /**
   * The next items that are here, at most so many, and no more once they have so many bytes; `bytes` is then their size. When there are fewer, it is over,
   * or one is on its way.
   */
  take(most: number, mostBytes: number): ArrayLike<unknown> {
    this.bytes = 0
    if (this.#arrived.length > 0) {
      const items = this.#arrived
      this.#arrived = []
      for (const item of items) this.bytes += sizeOf(item)
      return items
    }
    if (this.isPulling || this.isOver) return []
    return this.#list === undefined ? this.#pull(most, mostBytes) : this.#slice(this.#list, most, mostBytes)
  }

  /**
   * Closes the input, with its `return` where it has one. Resolves when that has ended. While an item is on its way an asynchronous generator returns only
   * behind it, and a silent one never: then two turns of the event loop are enough, except for `whole`.
   */
  async close(whole = false): Promise<void> {
    if (this.isOver) return
    this.isOver = true
    if (!this.isPulling || whole) return void await this.#source.return?.()
    // Its error may come when nobody waits for it any more.
    const closing = (async () => this.#source.return?.())().catch(() => {})
    await Promise.race([closing, nextTurn().then(nextTurn)])
  }

  /** Whether there is certainly nothing more to pull. */
  get isExhausted(): boolean {
    return this.isOver || (this.#list !== undefined && this.pulled >= this.#list.length)
  }

  #slice(list: ReadonlyArray<unknown>, most: number, mostBytes: number): ArrayLike<unknown> {
    const from = this.pulled
    const end = Math.min(list.length, from + most)
    let at = from
    if (ArrayBuffer.isView(list)) {
      const width = (list as unknown as Uint8Array).BYTES_PER_ELEMENT
      at = Math.max(Math.min(end, from + 1), Math.min(end, from + Math.floor(mostBytes / width)))
      this.bytes = (at - from) * width
    } else {
      let bytes = 0
      while (at < end && (at === from || bytes < mostBytes)) {
        const item = list[at++]
        bytes += typeof item === "number" ? 8 : sizeOf(item)
      }
      this.bytes = bytes
    }
    const items = list.slice(from, at)
    this.pulled += items.length
    // As an iterator sees it: at the end it is over, also when the list grows afterwards.
    if (at === end && items.length < most) this.isOver = true
    return items
  }

  #pull(most: number, mostBytes: number): ArrayLike<unknown> {
    const items: Array<unknown> = []
    let bytes = 0
    try {
      while (items.length < most && (items.length === 0 || bytes < mostBytes)) {
        const next = this.#source.next()
        if (isPromise(next)) {
          this.#await(Promise.resolve(next))
          break
        }
        if (!this.#add(next, items)) break
        bytes += sizeOf(items[items.length - 1])
      }
    } catch (error) {
      this.#fail(error)
    }
    this.bytes = bytes
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
    // Closed meanwhile: nobody asks for it any more.
    if (this.isOver) return
    this.isOver = true
    this.error = { error }
  }
}

const isPromise = (next: unknown): next is PromiseLike<IteratorResult<unknown>> =>
  next instanceof Promise || typeof (next as { then?: unknown } | undefined)?.then === "function"

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
