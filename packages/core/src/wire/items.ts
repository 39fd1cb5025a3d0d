/** Items of a chunk and their outcomes, in the shortest form that says all. */
import { Status } from "./frames.ts"

/**
 * Outcomes of consecutive items: their values when all succeeded, else a flat list of `status` and value or `ErrorRecord`. Numbers alone travel as the
 * bytes that they are.
 */
export type ItemOutcomes = { readonly values: ArrayLike<unknown> } | ReadonlyArray<unknown>

/** The same items; numbers alone as the bytes that they are, which are copied and carried many at a time. */
export const pack = (items: ArrayLike<unknown>): ArrayLike<unknown> => {
  if (ArrayBuffer.isView(items)) return items
  const { length } = items
  const numbers = new Float64Array(length)
  for (let at = 0; at < length; at++) {
    const item = items[at]
    if (typeof item !== "number") return items
    numbers[at] = item
  }
  return numbers
}

/** Collects outcomes of items as they come. */
export class ItemCollector {
  #values: Array<unknown> = []
  /** Made when the first item has not succeeded. */
  #flat: Array<unknown> | undefined

  get isEmpty(): boolean {
    return this.#values.length === 0 && this.#flat === undefined
  }

  add(status: Status, value: unknown): void {
    if (this.#flat !== undefined) this.#flat.push(status, value)
    else if (status === Status.Succeeded) this.#values.push(value)
    else {
      this.#flat = this.#values.flatMap((each) => [Status.Succeeded, each])
      this.#flat.push(status, value)
    }
  }

  /** All so far; then it begins anew. */
  take(): ItemOutcomes {
    const outcomes = this.#flat ?? { values: pack(this.#values) }
    this.#flat = undefined
    this.#values = []
    return outcomes
  }
}
