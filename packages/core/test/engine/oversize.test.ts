/** Frames that the receiver would not read: the sender fails the calls that are too large, and no others. */
import { fc } from "@fast-check/vitest"
import { NotPortableError } from "@futures/core"
import { executorClass } from "@futures/core/Backend"
import type { Backend, Frame, LinkEvents } from "@futures/core/Backend"
import { serveHere } from "@futures/core/Worker"
import assert from "node:assert/strict"
import { expect, test } from "vitest"
import { OversizedFrameError } from "../../src/wire/oversize.ts"
import { makeText, measure, pieces } from "../fixtures/sizes.ts"

/** Characters of a frame, at most, as JSON. */
const MOST = 4_000

/** Throws for a frame that is too long, as a link does that writes bytes. */
const check = (frame: Frame): void => {
  const { length } = JSON.stringify(frame)
  if (length > MOST) throw new OversizedFrameError(length, MOST)
}

/** Workers in this thread, behind a link with short frames. */
const limited: Backend = {
  name: "limited",
  sharesMemory: false,
  spawn: (_, events: LinkEvents) => {
    const end = (): void => void setImmediate(() => events.exit({ exitCode: 0 }))
    const port = {
      sharesMemory: false,
      sharesThread: true,
      send: (frame: Frame) => {
        check(frame)
        events.frame(structuredClone(frame))
      },
      mark: (number: number) => mark = number,
      end
    }
    let mark = 0
    const served = serveHere(port)
    return {
      workerId: 1,
      started: () => mark,
      send: (frame: Frame) => {
        check(frame)
        setImmediate(() => served.receive(structuredClone(frame)))
        return true
      },
      kill: end
    }
  }
}

const Limited = executorClass(limited, "Limited")

const lengths = fc.array(fc.integer({ min: 0, max: 2 * MOST }).filter((length) => Math.abs(length - MOST) > 1_000), {
  maxLength: 12
})

/** A value, or the side of the refusal. */
const outcome = async <A>(result: Promise<A>): Promise<A | string> => {
  try {
    return await result
  } catch (error) {
    assert.ok(error instanceof NotPortableError, String(error))
    assert.match(error.message, /\d+ bytes.*1 GiB/)
    return error.side
  }
}

test("Calls whose arguments or results are too large fail, and those sent with them have their results", async () => {
  await using executor = new Limited({ maxWorkers: 2 })
  await fc.assert(
    fc.asyncProperty(lengths, async (each) => {
      const there = each.map((length) => outcome(executor.run(measure, "x".repeat(length))))
      const back = each.map(async (length) => {
        const text = await outcome(executor.run(makeText, length))
        return text === "result" ? text : text.length
      })
      expect(await Promise.all(there)).toEqual(each.map((length) => length > MOST ? "argument" : length))
      expect(await Promise.all(back)).toEqual(each.map((length) => length > MOST ? "result" : length))
    }),
    { numRuns: 60, interruptAfterTimeLimit: 10_000 }
  )
})

test("Items of a map that are too large together are submitted alone, and only those that are too large fail", async () => {
  await using executor = new Limited({ maxWorkers: 2 })
  await fc.assert(
    fc.asyncProperty(lengths, fc.integer({ min: 1, max: 6 }), async (each, chunkSize) => {
      const outcomes: Array<unknown> = []
      for await (
        const settled of executor.mapSettled(measure, each.map((length) => "x".repeat(length)), { chunkSize })
      ) {
        outcomes.push(settled.status === "fulfilled" ? settled.value : (settled.reason as NotPortableError).side)
      }
      expect(outcomes).toEqual(each.map((length) => length > MOST ? "argument" : length))
    }),
    { numRuns: 60, interruptAfterTimeLimit: 10_000 }
  )
})

test("Items of a stream that are too large together arrive one by one; one that is too large ends its stream", async () => {
  await using executor = new Limited({ maxWorkers: 1 })
  const fits = Array.from({ length: 10 }, () => 1_500)
  const arrived: Array<number> = []
  for await (const text of executor.stream(pieces, fits)) arrived.push(text.length)
  expect(arrived).toEqual(fits)
  const before: Array<number> = []
  const read = async (): Promise<void> => {
    for await (const text of executor.stream(pieces, [1, 2, 2 * MOST, 3])) before.push(text.length)
  }
  expect(await outcome(read())).toBe("result")
  expect(before).toEqual([1, 2])
  expect(await executor.run(measure, "abc")).toBe(3)
})
