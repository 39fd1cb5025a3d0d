import { Task } from "@futures/core"
import { setTimeout } from "node:timers/promises"

const log = (message: string): void => console.log(JSON.stringify({ level: "info", message, pid: process.pid }))

export const { compute, wait } = Task.module(import.meta, {
  /** Keeps a processor busy, and sees when it should stop. */
  compute: (millis: number): number => {
    const until = performance.now() + millis
    while (performance.now() < until);
    return millis
  },
  /** Waits, and writes lines to the log. */
  wait: async (millis: number): Promise<number> => {
    log(`waiting ${millis} ms`)
    await setTimeout(millis)
    log(`waited ${millis} ms`)
    return millis
  }
})
