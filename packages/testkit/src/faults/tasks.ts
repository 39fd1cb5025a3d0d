/** Tasks that go wrong at a place of their own. Apart from `tasksDecoding.ts`, since workers need no Effect for these. */
import { Task } from "@futures/core"
import { appendFileSync } from "node:fs"
import { say, speak } from "../tasksSignals.ts"
import { commit } from "./commit.ts"
import type { FaultName } from "./commit.ts"

export const { answerAndReject, initialize, leaveBehind, run, runLater, throwing, writing } = Task.module(import.meta, {
  /** Answers; a promise of its own is rejected when that is long told. */
  answerAndReject: (value: string): string => {
    setTimeout(() => void Promise.reject(new RangeError("nobody waits for it")), 20)
    return value
  },
  /** Returns; once the law releases the word, code of the settled call fails with it, before the law can hear that it is about to. */
  leaveBehind: (port: number, word: string, way: "rejects" | "throws"): string => {
    void (async () => {
      const { released, socket } = await speak(port, word)
      await released
      socket.destroy()
      void say(port, `${word} failed`)
      if (way === "rejects") throw new RangeError(word)
      process.nextTick(() => {
        throw new RangeError(word)
      })
    })()
    return word
  },
  /** Says in a file that it was called. */
  initialize: (path: string, fault: FaultName): void => {
    appendFileSync(path, "started\n")
    commit(fault, "initializing")
  },
  run: (fault: FaultName): string => commit(fault, "running"),
  /** In a turn of the loop of its own, where nobody catches it. */
  runLater: (fault: FaultName): Promise<never> => {
    setImmediate(() => commit(fault, "nobody looks"))
    return new Promise(() => {})
  },
  throwing: (fault: FaultName): never => {
    const error = new RangeError("with a field that goes wrong")
    Object.defineProperty(error, "field", { enumerable: true, get: () => commit(fault, "writing the error") })
    throw error
  },
  writing: (fault: FaultName): { readonly field: string } => ({
    get field(): string {
      return commit(fault, "writing the result")
    }
  })
})
