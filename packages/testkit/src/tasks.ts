/** Tasks of the laws. Workers load this file, so it imports nothing that takes time. */
import { Task } from "@futures/core"
import { appendFileSync } from "node:fs"
import { threadId } from "node:worker_threads"
import { portray } from "./portrait.ts"

const kept = { n: 0, list: [1, 2, 3] }

/** A value that cannot travel, of each kind there is. */
const makeUnportable = (kind: string): unknown => {
  switch (kind) {
    case "function":
      return { a: [1, { callback: () => 1 }] }
    case "symbol":
      return { a: [1, { callback: Symbol("s") }] }
    case "promise":
      return { a: [1, { callback: Promise.resolve(1) }] }
    case "weak map":
      return { a: [1, { callback: new WeakMap() }] }
    case "abort signal":
      return { a: [1, { callback: new AbortController().signal }] }
    default:
      throw new Error(`No such kind: ${kind}`)
  }
}

export const {
  add,
  asynchronous,
  bytesAfter,
  context,
  countArguments,
  double,
  exit,
  exitWhenNegative,
  exitWhenRead,
  functionWhenOdd,
  identity,
  lend,
  lendAndChange,
  makeDeep,
  makeUnportable: unportable,
  note,
  noteAfter,
  paint,
  pair,
  print,
  same,
  soon,
  throwLater,
  twice,
  who
} = Task.module(import.meta, {
  add: (a: number, b: number): number => a + b,
  /** Answers a turn of the loop later. */
  asynchronous: async (value: unknown): Promise<unknown> => {
    await new Promise((resolve) => setImmediate(resolve))
    return value
  },
  /** What a task knows of its own call. */
  context: (): { id: number; attempt: number; workerId: number | string; aborted: boolean } | undefined => {
    const current = Task.current()
    return current &&
      { id: current.id, attempt: current.attempt, workerId: current.workerId, aborted: current.signal.aborted }
  },
  countArguments: (...args: Array<unknown>): number => args.length,
  double: (n: number): number => n * 2,
  /** Ends its worker. */
  exit: (code: number): never => process.exit(code),
  /** Ends its worker with the exit code `-n`. */
  exitWhenNegative: (n: number): number => n < 0 ? process.exit(-n) : n,
  /** Ends its worker while the result is being read. */
  exitWhenRead: (code: number): unknown => ({
    get value(): unknown {
      return process.exit(code)
    }
  }),
  /** Its result cannot travel for odd numbers. */
  functionWhenOdd: (n: number): unknown => n % 2 === 0 ? n : { callback: () => n },
  identity: (value: unknown): unknown => value,
  /** The same object each time, which the worker keeps. */
  lend: (): { n: number; list: Array<number> } => kept,
  /** Changes the object after it was returned. */
  lendAndChange: (): { n: number } => {
    const object = { n: 1 }
    queueMicrotask(() => object.n = 2)
    setImmediate(() => object.n = 3)
    return object
  },
  makeDeep: (levels: number): unknown => {
    let value: unknown = "bottom"
    for (let level = 0; level < levels; level++) value = [value]
    return value
  },
  makeUnportable,
  /** Adds a line to a file in one write. */
  note: (path: string, line: string): string => {
    appendFileSync(path, `${line}\n`)
    return line
  },
  /** Adds a line to a file, and returns after so many milliseconds of sleep. */
  noteAfter: async (path: string, line: string, millis: number): Promise<string> => {
    appendFileSync(path, `${line}\n`)
    await new Promise((resolve) => setTimeout(resolve, millis))
    return line
  },
  /** Sleeps so many milliseconds, then returns a view of so many bytes. */
  bytesAfter: async (millis: number, bytes: number): Promise<Uint8Array> => {
    await new Promise((resolve) => setTimeout(resolve, millis))
    return new Uint8Array(bytes)
  },
  /** What the task sees of its argument, in words. */
  paint: (value: unknown): string => portray(value),
  pair: (a: unknown, b: unknown): readonly [unknown, unknown] => [a, b],
  print: (stream: "stdout" | "stderr", text: string): void => {
    process[stream].write(text)
  },
  same: (a: unknown, b: unknown): boolean => a === b,
  /** A promise that is no `Promise`. */
  soon: (value: unknown): PromiseLike<unknown> => ({
    // oxlint-disable-next-line unicorn/no-thenable -- what the law is about
    then: (resolve) => Promise.resolve(resolve!(value as never)) as never
  }),
  /** Never answers: an error that nobody catches comes first. */
  throwLater: (message: string): Promise<never> => {
    setImmediate(() => {
      throw new RangeError(message)
    })
    return new Promise(() => {})
  },
  /** One value in two places. */
  twice: (value: unknown): { readonly first: unknown; readonly second: unknown } => ({ first: value, second: value }),
  who: (): string => `${process.pid}/${threadId}`
})
