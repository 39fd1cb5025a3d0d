/**
 * What the machine gives: calls in batches, answers in the same order, a promise a call, and nothing else. No errors, no cancelling, no clocks, no
 * healing; so it is a limit, not a goal.
 */
import type { Pool, Work } from "../src/contender.ts"

interface Call {
  readonly work: Work
  readonly argument: unknown
  readonly settle: (value: unknown) => void
}

export type Batch = readonly [works: ReadonlyArray<Work>, args: ReadonlyArray<unknown>]

/** A worker that is up or on its way. */
export interface Line {
  readonly send: (batch: Batch) => void
  readonly close: () => Promise<unknown>
}

export interface Tuning {
  /** Calls that travel together, at most. */
  readonly batch: number
  /** Batches that a worker may have in hand. */
  readonly window: number
}

export type StartLine = (answer: (values: ReadonlyArray<unknown>) => void) => Line

const CHUNKS = 64

export const barePool = (workers: number, { batch, window }: Tuning, start: StartLine): Pool => {
  let waiting: Array<Call> = []
  let head = 0
  let scheduled = false
  const lines = Array.from({ length: workers }, () => {
    const inHand: Array<ReadonlyArray<Call>> = []
    const line = start((values) => {
      const calls = inHand.shift()!
      for (let i = 0; i < calls.length; i++) calls[i]!.settle(values[i])
      pump()
    })
    return { inHand, line }
  })
  const pump = (): void => {
    for (let given = true; given && head < waiting.length;) {
      given = false
      for (const { inHand, line } of lines) {
        if (inHand.length >= window || head === waiting.length) continue
        // The last few are shared out.
        const count = Math.min(batch, Math.ceil((waiting.length - head) / lines.length))
        const calls = waiting.slice(head, head += count)
        inHand.push(calls)
        line.send([calls.map((call) => call.work), calls.map((call) => call.argument)])
        given = true
      }
    }
    if (head === waiting.length && head > 0) {
      waiting = []
      head = 0
    }
  }
  const call: Pool["call"] = (work, argument) =>
    new Promise((settle) => {
      waiting.push({ work, argument, settle })
      if (scheduled) return
      scheduled = true
      queueMicrotask(() => {
        scheduled = false
        pump()
      })
    })
  return {
    call,
    map: async (_work, items) => {
      const length = Math.ceil(items.length / CHUNKS)
      const chunks = Array.from({ length: CHUNKS }, (_, i) => items.slice(i * length, (i + 1) * length))
      const answers = await Promise.all(chunks.map((chunk) => call("doubles", chunk))) as Array<Array<number>>
      let sum = 0
      for (const value of answers.flat()) sum += value
      return sum
    },
    close: () => Promise.all(lines.map(({ line }) => line.close()))
  }
}
