/** What a running task reports of its progress, for any number of followers. */
import type { FutureCell } from "./FutureCell.ts"

interface Follower {
  readonly waiting: Array<unknown>
  wake: (() => void) | undefined
}

export class Reports {
  readonly #cell: FutureCell
  readonly #followers = new Set<Follower>()
  #latest: { readonly value: unknown } | undefined

  constructor(cell: FutureCell) {
    this.#cell = cell
    cell.observe(() => {
      for (const follower of this.#followers) follower.wake?.()
    })
  }

  report(value: unknown): void {
    this.#latest = { value }
    for (const follower of this.#followers) {
      follower.waiting.push(value)
      follower.wake?.()
    }
  }

  /** The latest report, then each as it comes, until the call is done. */
  follow(): AsyncIterableIterator<unknown> {
    const follower: Follower = { waiting: this.#latest === undefined ? [] : [this.#latest.value], wake: undefined }
    const followers = this.#followers
    followers.add(follower)
    const cell = this.#cell
    let left = false
    const leave = (): { done: true; value: undefined } => {
      left = true
      followers.delete(follower)
      follower.wake?.()
      return { done: true, value: undefined }
    }
    return {
      [Symbol.asyncIterator]() {
        return this
      },
      async next() {
        while (!left && follower.waiting.length === 0 && !cell.done()) {
          await new Promise<void>((resolve) => follower.wake = resolve)
        }
        if (left || follower.waiting.length === 0) return leave()
        return { done: false, value: follower.waiting.shift() }
      },
      return: () => Promise.resolve(leave())
    }
  }
}
