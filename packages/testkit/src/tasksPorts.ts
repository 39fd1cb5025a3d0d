/** Tasks that are given ports. */
import { Task } from "@futures/core"
import type { MessagePort } from "node:worker_threads"

export const { sendThrough } = Task.module(import.meta, {
  sendThrough: (port: MessagePort, text: string): void => {
    port.postMessage(text)
    port.close()
  }
})
