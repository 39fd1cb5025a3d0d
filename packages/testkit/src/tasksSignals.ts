/** Tasks that tell their law what they do, and wait for it. The law's end is `Signals.ts`. */
import { Task } from "@futures/core"
import { connect } from "node:net"
import type { Socket } from "node:net"

/** A word that the law has heard. */
interface Conversation {
  readonly socket: Socket
  /** The law lets the speaker go on; rejects when the law is over. */
  readonly released: Promise<void>
}

/** Says a word and keeps the line open: whoever hears it may let the speaker go on. */
export const speak = (port: number, word: string): Promise<Conversation> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(`${word}\n`))
    const { promise: released, resolve: go, reject: over } = Promise.withResolvers<void>()
    // Whoever does not wait for it may leave it alone.
    released.catch(() => {})
    let text = ""
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk
      if (text.includes("heard\n")) resolve({ socket, released })
      if (text.includes("go\n")) go()
    })
    socket.on("error", reject)
    socket.on("close", () => {
      over(new Error("The law is over"))
      reject(new Error("The law is over"))
    })
  })

/** Says a word, and waits until the law has heard it. */
export const say = async (port: number, word: string): Promise<void> => {
  const { socket } = await speak(port, word)
  socket.destroy()
}

const hold = async <A>(port: number, word: string, answer: A): Promise<A> => {
  const { socket, released } = await speak(port, word)
  await released
  socket.destroy()
  return answer
}

/** Waits until the running call is asked to stop. */
export const asked = (): Promise<void> => {
  const { signal } = Task.current()!
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener("abort", () => resolve(), { once: true })
  })
}

export const {
  answerWhenAsked,
  failAfter,
  holdItem,
  ignoreAsking,
  listenItem,
  napItem,
  spin,
  spinItem,
  stopWhenAsked,
  waitFor
} = Task
  .module(
    import.meta,
    {
      /** Returns normally once it is asked to stop. */
      answerWhenAsked: async (port: number, word: string): Promise<string> => {
        const { socket } = await speak(port, word)
        await asked()
        socket.destroy()
        return word
      },
      /** Fails once it is released. */
      failAfter: async (port: number, word: string): Promise<never> => {
        await hold(port, word, undefined)
        throw new RangeError(word)
      },
      /** Holds the item if it has a word, and answers with its index. */
      holdItem: (
        { index, port, word }: { index: number; port: number; word: string | undefined }
      ): Promise<number> | number => word === undefined ? index : hold(port, word, index),
      /** Goes on until it is released, whoever asks. */
      ignoreAsking: (port: number, word: string): Promise<string> => hold(port, word, word),
      /** Waits until it is asked to stop, if the item says so, and answers with its index. */
      listenItem: async ({ index, listens }: { index: number; listens: boolean }): Promise<number> => {
        if (listens) await asked()
        return index
      },
      /** Says its word, if it has one, and takes so many milliseconds. Returns its index. */
      napItem: (
        { index, ms, port, word }: { index: number; ms: number; port: number; word: string | undefined }
      ): Promise<number> | number =>
        word === undefined
          ? index
          : say(port, word).then(() => new Promise((resolve) => setTimeout(() => resolve(index), ms))),
      /** Never gives its thread back. */
      spin: async (port: number, word: string): Promise<never> => {
        await say(port, word)
        for (;;);
      },
      /** Says its word; then never gives its thread back, if the item says so. Returns the index. */
      spinItem: async (
        { index, port, spins, word }: { index: number; port: number; spins: boolean; word: string }
      ): Promise<number> => {
        await say(port, word)
        if (spins) { for (;;); }
        return index
      },
      /** Cleans up once it is asked to stop, says so, and fails. */
      stopWhenAsked: async (port: number, word: string): Promise<never> => {
        const { socket } = await speak(port, word)
        await asked()
        await say(port, `${word} cleaned up`)
        socket.destroy()
        throw new Error("Stopped")
      },
      /** Waits until it is released. */
      waitFor: (port: number, word: string): Promise<string> => hold(port, word, word)
    }
  )
