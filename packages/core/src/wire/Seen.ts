/** Up to here a scan over an array is faster than a `Map`. */
const few = 16

/** The copies of the objects that a walk has met: what is shared stays shared, and a cycle ends. */
export class Seen {
  /** Source, copy, source, copy ...: all of them, while they are few. */
  readonly #pairs: unknown[] = []
  /** All of them, once they are many. */
  #map: Map<unknown, unknown> | undefined

  find(source: object): unknown {
    if (this.#map !== undefined) return this.#map.get(source)
    const pairs = this.#pairs
    for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === source) return pairs[i + 1]
    return undefined
  }

  remember<A extends object>(source: object, copy: A): A {
    if (this.#map !== undefined) this.#map.set(source, copy)
    else if (this.#pairs.length < few * 2) this.#pairs.push(source, copy)
    else {
      const map = this.#map = new Map()
      for (let i = 0; i < this.#pairs.length; i += 2) map.set(this.#pairs[i], this.#pairs[i + 1])
      map.set(source, copy)
    }
    return copy
  }

  /** The same source has another copy after all. */
  replace<A extends object>(source: object, copy: A): A {
    if (this.#map !== undefined) this.#map.set(source, copy)
    else this.#pairs[this.#pairs.indexOf(source) + 1] = copy
    return copy
  }
}
