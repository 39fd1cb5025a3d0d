/** Tasks that remember, weakly, what they were given and what they gave. */
import { Task } from "@futures/core"
import { collect, reachable } from "./reachable.ts"

const remembered: Array<WeakRef<object>> = []

export const { count, remember, rememberAndFail, rememberForEver } = Task.module(import.meta, {
  /** How many of them can still be reached here. */
  count: (): Promise<number> => reachable(remembered),
  remember: (value: { readonly text: string }): object => {
    const result = { text: value.text }
    remembered.push(new WeakRef(value), new WeakRef(result))
    collect()
    return result
  },
  rememberAndFail: (value: object): never => {
    const error = new RangeError("weakly remembered")
    remembered.push(new WeakRef(value), new WeakRef(error))
    throw error
  },
  /** Goes on until its worker ends. */
  rememberForEver: (value: object): Promise<never> => {
    remembered.push(new WeakRef(value))
    return new Promise(() => {})
  }
})
