/** Tasks of a soak. Each first writes its word down: what ran, and how often, is then no matter of trust. */
import { Task } from "@futures/core"
import { appendFileSync } from "node:fs"
import { asked } from "../tasksSignals.ts"

/** What a call of a soak is given. */
export interface Noted {
  /** The notebook's file. */
  readonly path: string
  /** Names the call. */
  readonly word: string
}

const begin = ({ path, word }: Noted): string => {
  appendFileSync(path, `${word}, attempt ${Task.current()!.attempt}\n`)
  return word
}

const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1))

export const {
  answer,
  answerWithFunction,
  answerWithMuch,
  beAsked,
  die,
  exit,
  failOnce,
  hold,
  ignoreAsking,
  later,
  spin
} = Task.module(import.meta, {
  answer: begin,
  /** Its result cannot travel. */
  answerWithFunction: (call: Noted): unknown => ({ word: begin(call), callback: () => call }),
  answerWithMuch: (call: Noted): { readonly word: string; readonly bytes: Uint8Array } => ({
    word: begin(call),
    bytes: new Uint8Array(100_000)
  }),
  /** Goes on until it is asked to stop. */
  beAsked: async (call: Noted): Promise<string> => {
    begin(call)
    await asked()
    return call.word
  },
  /** Kills its own process. */
  die: (call: Noted): never => {
    begin(call)
    process.kill(process.pid, "SIGKILL")
    for (;;);
  },
  exit: (call: Noted): never => {
    begin(call)
    process.exit(3)
  },
  /** Throws at its first attempt. */
  failOnce: (call: Noted): string => {
    if (Task.current()!.attempt === 1) throw new RangeError(call.word)
    return begin(call)
  },
  /** Takes a millisecond. */
  hold: async (call: Noted): Promise<string> => {
    begin(call)
    await soon()
    return call.word
  },
  /** Goes on whoever asks. */
  ignoreAsking: (call: Noted): Promise<never> => {
    begin(call)
    return new Promise(() => {})
  },
  /** Answers a turn of the loop later. */
  later: async (call: Noted): Promise<string> => {
    begin(call)
    await new Promise((resolve) => setImmediate(resolve))
    return call.word
  },
  /** Never gives its thread back. */
  spin: (call: Noted): never => {
    begin(call)
    for (;;);
  }
})

export const { fail, failLater, failUncaught } = Task.module(import.meta, {
  fail: (call: Noted): never => {
    throw new RangeError(begin(call))
  },
  failLater: async (call: Noted): Promise<never> => {
    await soon()
    throw new RangeError(begin(call))
  },
  /** An error that nobody catches ends its worker. */
  failUncaught: (call: Noted): Promise<never> => {
    begin(call)
    setImmediate(() => {
      throw new RangeError(call.word)
    })
    return new Promise(() => {})
  }
})
