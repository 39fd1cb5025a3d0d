/** One library in one scene, in a process of its own. What happens is told at once, a line each, on descriptor 3: the process may not live to the end. */
import { writeSync } from "node:fs"
import { libraries } from "./pools.ts"
import type { Kind } from "./pools.ts"
import { scenes } from "./scenes.ts"
import type { Label, Stage } from "./scenes.ts"

/** What is told. */
export type Event =
  | { readonly what: "called" | "resolved" | "rejected"; readonly label: Label; readonly detail?: string }
  | { readonly what: "closed" | "close failed" | "played"; readonly detail?: string }

const [, , name, kind, id, patience] = process.argv as unknown as [string, string, string, Kind, string, string]
const library = libraries.find((each) => each.name === name && each.kind === kind)!
const scene = scenes.find((each) => each.id === id)!

const tell = (event: Event): void => {
  writeSync(3, `${JSON.stringify(event)}\n`)
}

/** What a caller could print of it. */
const textOf = (value: unknown): string => {
  if (!(value instanceof Error)) return JSON.stringify(value) ?? String(value)
  return `${value.name}: ${value.message.split("\n")[0]}`
}

const ended = (promise: PromiseLike<unknown>, resolved: (value: unknown) => void, rejected: (error: unknown) => void) =>
  new Promise<void>((resolve) => {
    // It holds the process meanwhile: not every library does while calls are in flight.
    const timer = setTimeout(resolve, Number(patience))
    const over = (tellIt: () => void): void => {
      clearTimeout(timer)
      tellIt()
      resolve()
    }
    promise.then((value) => over(() => resolved(value)), (error: unknown) => over(() => rejected(error)))
  })

const stage: Stage = {
  open: (options = {}) => library.open(options),
  call: (label, pool, fault, argument, signal) => {
    tell({ what: "called", label })
    const rejected = (error: unknown): void => tell({ what: "rejected", label, detail: textOf(error) })
    let promise: PromiseLike<unknown>
    try {
      promise = pool.call(fault, argument, signal)
    } catch (error) {
      tell({ what: "rejected", label, detail: `at once: ${textOf(error)}` })
      return Promise.resolve()
    }
    return ended(promise, (value) => tell({ what: "resolved", label, detail: textOf(value) }), rejected)
  },
  close: async (pool) => {
    try {
      await ended(
        pool.close(),
        () => tell({ what: "closed" }),
        (error) => tell({ what: "close failed", detail: textOf(error) })
      )
    } catch (error) {
      tell({ what: "close failed", detail: textOf(error) })
    }
  }
}

await scene.play(stage)
tell({ what: "played" })
// Only where it is the question: some libraries never let go of the process.
if (id !== "forgets") process.exit(0)
