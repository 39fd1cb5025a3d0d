/** Calls of a named client whose outcome its executor waits for. */
export interface Waiting {
  /** What the executor knows it by. */
  readonly wireId: number
  /** What the cluster knows it by. */
  readonly id: number
  /** Whether it was handed in before, and is only asked for. */
  readonly isEarlier: boolean
  /** Its label; `undefined` for one that was submitted before. */
  readonly label: string | undefined
  /** As in `StoredCall`; known once it is about to be written. */
  after: number | undefined
  /** Settles when the broker has it, or never will. */
  writing: Promise<void> | undefined
  /** Whether it was asked to stop. */
  stopping: boolean
  /** Whether its outcome is being read. */
  reading: boolean
}

export class WaitingCalls {
  readonly #byWire = new Map<number, Waiting>()
  /** Several may wait for the same. */
  readonly #byId = new Map<number, Set<Waiting>>()

  add(waiting: Waiting): void {
    this.#byWire.set(waiting.wireId, waiting)
    const same = this.#byId.get(waiting.id)
    if (same === undefined) this.#byId.set(waiting.id, new Set([waiting]))
    else same.add(waiting)
  }

  /** Answers whether it was there. */
  delete(waiting: Waiting): boolean {
    if (!this.#byWire.delete(waiting.wireId)) return false
    const same = this.#byId.get(waiting.id)!
    same.delete(waiting)
    if (same.size === 0) this.#byId.delete(waiting.id)
    return true
  }

  has({ wireId }: Waiting): boolean {
    return this.#byWire.has(wireId)
  }

  find(wireId: number): Waiting | undefined {
    return this.#byWire.get(wireId)
  }

  of(id: number): Iterable<Waiting> {
    return this.#byId.get(id) ?? []
  }

  knows(id: number): boolean {
    return this.#byId.has(id)
  }

  all(): ReadonlyArray<Waiting> {
    return [...this.#byWire.values()]
  }

  /** So many of those that were not looked at for longest; they count as looked at then. */
  next(count: number): ReadonlyArray<Waiting> {
    const first: Array<Waiting> = []
    for (const waiting of this.#byWire.values()) if (first.push(waiting) >= count) break
    for (const waiting of first) {
      this.#byWire.delete(waiting.wireId)
      this.#byWire.set(waiting.wireId, waiting)
    }
    return first
  }
}
