/**
 * How a law and the tasks it runs wait for each other, in whatever thread or process a task is: words over a local socket. No clock is involved, so a
 * law that passes once passes on a slow machine too.
 *
 * ```
 * law    signals.heard("a")  ◀── a ──     hold(port, "a")     the task runs, and waits
 *                            ── heard ──▶
 * law    signals.release("a")  ── go ──▶                      the task goes on
 * ```
 */
import { createServer } from "node:net"
import type { AddressInfo, Socket } from "node:net"

/** The law's end of the words that its tasks say. */
export interface Signals {
  /** What tasks are given, so that they find their law. */
  readonly port: number
  /** A word that no other call of this law says. */
  readonly word: () => string
  /** Waits until a task has said the word. */
  readonly heard: (word: string) => Promise<void>
  /** The words said so far, in order. */
  readonly words: () => Array<string>
  /** Lets the task that says the word, now or later, go on. */
  readonly release: (word: string) => void
  /** Ends every conversation: tasks that are held fail. */
  readonly close: () => Promise<void>
}

/** Opens the law's end. */
export const openSignals = async (): Promise<Signals> => {
  const words: Array<string> = []
  const speakers = new Map<string, Socket>()
  const listeners = new Map<string, Array<() => void>>()
  const released = new Set<string>()
  const sockets = new Set<Socket>()

  const take = (socket: Socket, word: string): void => {
    words.push(word)
    speakers.set(word, socket)
    socket.write("heard\n")
    if (released.has(word)) socket.write("go\n")
    for (const listener of listeners.get(word) ?? []) listener()
    listeners.delete(word)
  }

  const server = createServer((socket) => {
    sockets.add(socket)
    // A worker that dies resets its conversations.
    socket.on("error", () => socket.destroy())
    socket.on("close", () => sockets.delete(socket))
    let text = ""
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      const parts = (text + chunk).split("\n")
      text = parts.pop()!
      for (const word of parts) take(socket, word)
    })
  })
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve))

  let spoken = 0
  return {
    port: (server.address() as AddressInfo).port,
    word: () => `word-${++spoken}`,
    heard: (word) =>
      new Promise((resolve) => {
        if (words.includes(word)) resolve()
        else listeners.set(word, [...listeners.get(word) ?? [], resolve])
      }),
    words: () => [...words],
    release: (word) => {
      released.add(word)
      speakers.get(word)?.write("go\n")
    },
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      return closed
    }
  }
}
