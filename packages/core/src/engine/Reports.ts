/** What a running task reports of its progress, for any number of followers. */
import type { FutureCell } from "./FutureCell.ts"

interface Follower {
  readonly waiting: Array<unknown>
  wake: (() => void) | undefined
  left: boolean
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
    const follower: Follower = {
      waiting: this.#latest === undefined ? [] : [this.#latest.value],
      wake: undefined,
      left: false
    }
    const followers = this.#followers
    followers.add(follower)
    const cell = this.#cell
    const leave = (): { done: true; value: undefined } => {
      follower.left = true
      followers.delete(follower)
      follower.wake?.()
      return { done: true, value: undefined }
    }
    return {
      [Symbol.asyncIterator]() {
        return this
      },
      async next() {
        while (!follower.left && follower.waiting.length === 0 && !cell.done()) {
          await new Promise<void>((resolve) => follower.wake = resolve)
        }
        if (follower.left || follower.waiting.length === 0) return leave()
        return { done: false, value: follower.waiting.shift() }
      },
      return: () => Promise.resolve(leave())
    }
  }
}
