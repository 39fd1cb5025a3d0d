/** Tasks that return how their own call is identified. */
import { Executor, Task } from "@futures/core"
import { appendFileSync } from "node:fs"

/** What a task knows of its own call. */
export interface Identity {
  readonly key: string
  readonly deliveries: number
}

const current = (): Identity => {
  const { deliveries, key } = Task.current()!
  return { deliveries, key }
}

export const { identify, identifyAll, identifyAtLast, identifyBelow, identifyInMap } = Task.module(import.meta, {
  identify: current,
  /** The items of a chunk, some of which wait: each with its own key, before and after. */
  identifyAll: async (item: number): Promise<readonly [string, string]> => {
    const { key } = current()
    if (item % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
    return [key, current().key]
  },
  /** Notes its key in a file, and fails before the given attempt. */
  identifyAtLast: (path: string, good: number): Identity => {
    appendFileSync(path, `${current().key}\n`)
    if (Task.current()!.attempt < good) throw new RangeError("not yet")
    return current()
  },
  /** The key of a call of its own, as its future says and as that call says. */
  identifyBelow: async (): Promise<readonly [own: string, future: string, child: string]> => {
    const future = Executor.current().submit(identify)
    return [current().key, future.info.key, (await future.result()).key]
  },
  identifyInMap: async (items: number): Promise<ReadonlyArray<string>> => {
    const keys: Array<string> = []
    for await (
      const { key } of Executor.current().map(
        identify,
        Array.from({ length: items }, () => undefined) as never
      )
    ) keys.push(key)
    return keys
  }
})
