/** Tasks that compute, and look whether they are to stop. */
import { Executor, Task } from "@futures/core"
import { appendFileSync } from "node:fs"
import { say, speak } from "./tasksSignals.ts"

/** Computes until the call is to stop, without giving its thread back. */
const compute = (): void => {
  const task = Task.current()!
  for (let n = 0; !task.stopRequested; n++) Math.sqrt(n)
}

export const {
  computeBelow,
  computeFor,
  computeItem,
  computeThenNote,
  computeUntilStopped,
  lookWhileHeld,
  stopSeenAtOnce
} = Task
  .module(
    import.meta,
    {
      /** Says a word; then computes until it is to stop. */
      computeUntilStopped: async (port: number, word: string): Promise<void> => {
        await say(port, word)
        compute()
      },
      /** The same in a call of its own, which it waits for. */
      computeBelow: (port: number, word: string): Promise<void> =>
        Executor.current().run(computeUntilStopped, port, word),
      /** Computes so many steps, or until it is to stop. */
      computeFor: (steps: number): void => {
        const task = Task.current()!
        for (let n = 0; n < steps && !task.stopRequested; n++) Math.sqrt(n)
      },
      /** Computes until it is to stop, and adds to a file what its signal says then. */
      computeThenNote: (path: string): void => {
        compute()
        const { signal } = Task.current()!
        appendFileSync(path, `${signal.aborted} ${(signal.reason as Error | undefined)?.name}\n`)
      },
      /** Computes until it is to stop, if the item says so. Returns the index. */
      computeItem: ({ computes, index }: { readonly computes: boolean; readonly index: number }): number => {
        if (computes) compute()
        return index
      },
      /** Looks again and again until it is released. Returns whether it was ever to stop. */
      lookWhileHeld: async (port: number, word: string): Promise<boolean> => {
        const task = Task.current()!
        const { released, socket } = await speak(port, word)
        let wasSeen = false
        const look = setInterval(() => wasSeen ||= task.stopRequested, 1)
        await released
        clearInterval(look)
        socket.destroy()
        return wasSeen || task.stopRequested
      },
      /** Whether a call that nobody stops is to stop. */
      stopSeenAtOnce: (): boolean => Task.current()!.stopRequested
    }
  )
