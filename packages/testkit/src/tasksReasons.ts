/** Tasks that tell their law why they were asked to stop. */
import { Executor, Task } from "@futures/core"
import { asked, say } from "./tasksSignals.ts"

/** Listed below, so it arrives as an instance of itself. */
export class UserLeft extends Error {
  override readonly name = "UserLeft"
  readonly page: string
  constructor(page: string) {
    super(`Left ${page}`)
    this.page = page
  }
}

/** What a task found as the reason of its signal. */
export type FoundReason =
  | { readonly value: unknown }
  | {
    readonly name: string
    readonly message: string
    readonly isUserLeft: boolean
    readonly fields: Readonly<Record<string, unknown>>
  }

const found = (reason: unknown): FoundReason => {
  if (!(reason instanceof Error)) return { value: reason }
  const { message, name } = reason
  const { clock, after, page } = reason as {
    readonly clock?: unknown
    readonly after?: unknown
    readonly page?: unknown
  }
  return { name, message, isUserLeft: reason instanceof UserLeft, fields: { clock, after, page } }
}

/** Waits until the running call is asked to stop, and says why. */
const sayWhy = async (port: number): Promise<void> => {
  await asked()
  await say(port, JSON.stringify(found(Task.current()!.signal.reason)))
}

export const { sayReason, sayReasonBelow, sayReasonOfItem } = Task.module(
  import.meta,
  {
    /** Says a word; once it is asked to stop it says the reason. */
    sayReason: async (port: number, word: string): Promise<void> => {
      await say(port, word)
      await sayWhy(port)
    },
    /** The same in a call of its own, which it waits for. */
    sayReasonBelow: async (port: number, word: string): Promise<void> => Executor.current().run(sayReason, port, word),
    /** The same for one item of a map. */
    sayReasonOfItem: async ({ port, word }: { readonly port: number; readonly word: string }): Promise<void> => {
      await say(port, word)
      await sayWhy(port)
    }
  },
  { errors: [UserLeft] }
)
