/** Tasks that replace what others rely on. */
import { Task } from "@futures/core"

const anything: Record<string, any> = globalThis

const nothing = (): never => {
  throw new Error("replaced by a task")
}

export const { later, spoil } = Task.module(import.meta, {
  later: async (value: string): Promise<string> => {
    await new Promise((resolve) => setImmediate(resolve))
    return value
  },
  /** Replaces a global for good, and answers. */
  spoil: async (what: string): Promise<string> => {
    switch (what) {
      case "process":
      case "console":
        anything[what] = undefined
        break
      case "Promise.prototype.then":
        // oxlint-disable-next-line unicorn/no-thenable, no-extend-native -- what the law is about
        Promise.prototype.then = nothing
        break
      case "Promise.prototype.catch":
        // oxlint-disable-next-line no-extend-native -- what the law is about
        Promise.prototype.catch = nothing
        break
      case "process.stdout.write":
        process.stdout.write = nothing
        break
    }
    return "spoiled"
  }
})
