/** Tasks of the model's histories. Each first writes down that it runs: what ran, how often and in what order is then no matter of trust. */
import { Task } from "@futures/core"
import { appendFileSync } from "node:fs"
import { asked, speak } from "./tasksSignals.ts"

/** What a call of a history is given. */
export interface Noted {
  /** The notebook's file. */
  readonly path: string
  /** Names the call, and the worker's conversation with the law. */
  readonly word: string
  /** Where the law listens. */
  readonly port: number
}

const begin = ({ path, word }: Noted): string => {
  appendFileSync(path, `${word}\n`)
  return word
}

export const { crash, fail, failFirst, hang, hangOn, quick, slow, untilAsked } = Task.module(import.meta, {
  /** Ends its worker. */
  crash: (call: Noted): never => {
    begin(call)
    process.exit(3)
  },
  fail: (call: Noted): never => {
    throw begin(call)
  },
  /** Fails at the first attempt; answers with the number of any other. */
  failFirst: (): number => {
    const { attempt } = Task.current()!
    if (attempt === 1) throw new RangeError("The first attempt")
    return attempt
  },
  /** Goes on until it is released, or asked to stop. */
  hang: async (call: Noted): Promise<string> => {
    begin(call)
    const { socket, released } = await speak(call.port, call.word)
    await Promise.race([released, asked()])
    socket.destroy()
    return call.word
  },
  /** Goes on until it is released, whoever asks. */
  hangOn: async (call: Noted): Promise<string> => {
    begin(call)
    const { socket, released } = await speak(call.port, call.word)
    await released
    socket.destroy()
    return call.word
  },
  quick: begin,
  /** Answers a turn of the loop later. */
  slow: async (call: Noted): Promise<string> => {
    begin(call)
    await new Promise((resolve) => setImmediate(resolve))
    return call.word
  },
  /** Goes on until it is asked to stop. */
  untilAsked: async (value: unknown): Promise<unknown> => {
    await asked()
    return value
  }
})
