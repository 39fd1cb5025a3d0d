/** Workers that die before they have started a call: the call is tried a few times, alone, and other calls have their own outcomes. */
import { fc } from "@fast-check/vitest"
import { PoisonTaskError, Task, TaskTimeoutError, wait, WorkerLostError } from "@futures/core"
import type { Future } from "@futures/core"
import { executorClass, frames, monotonic } from "@futures/core/Backend"
import type { Backend, Frame, LinkEvents } from "@futures/core/Backend"
import assert from "node:assert/strict"
import { afterEach, expect, test, vi } from "vitest"
import { Alone, MAX_RETURNS } from "../../src/engine/Alone.ts"

const { argsAt, callEnd, HEADER, Kind, markOf, Status } = frames

/** What a call does to its worker: it answers, ends it while it runs, or ends it while its arguments are read. */
const KINDS = ["answers", "exits", "kills its reader"] as const
type CallKind = (typeof KINDS)[number]

const { task } = Task.from<{ task: (kind: CallKind, n: number) => number }>("node:nothing")

interface Run {
  readonly kind: CallKind
  readonly n: number
}

/** Workers that read a frame as a whole, and start what they have read one after another. `deaths` counts those that died. */
const workers = (deaths: { count: number }, killed: Promise<void> | undefined): Backend => {
  let workerId = 0
  return {
    name: "fake",
    sharesMemory: true,
    spawn: (_, events: LinkEvents) => {
      let header: ReadonlyArray<unknown> = []
      let mark = 0
      let isOver = false
      let isLate = false
      const exit = (exitCode: number, counts = exitCode !== 0): void => {
        if (isOver) return
        isOver = true
        if (counts) deaths.count++
        setImmediate(() => events.exit({ exitCode }))
      }
      const read = (frame: Frame): void => {
        if (isOver) return
        const calls: Array<readonly [wireId: number, deadline: number, run: Run]> = []
        for (let at = HEADER; at < frame.length; at = callEnd(frame, at)) {
          const [kind, n] = argsAt(frame, at) as [CallKind, number]
          calls.push([frame[at] as number, frame[at + 3] as number, { kind, n }])
        }
        const killers = calls.filter(([, , { kind }]) => kind === "kills its reader")
        if (killers.length > 0) {
          // One whose lease is over may be with another worker by now: then this death is not counted.
          const isHeld = killers.some(([, deadline]) => deadline === 0 || monotonic() < deadline)
          if (killed === undefined) exit(137, isHeld)
          else void killed.then(() => exit(137))
          return
        }
        for (const [wireId, deadline, { kind, n }] of calls) {
          setImmediate(() => {
            if (isOver) return
            if (deadline === 0) isLate = false
            if (!isLate) mark = markOf(wireId)
            // What has not started within its lease goes back, and so does what is behind it.
            isLate ||= deadline !== 0 && monotonic() >= deadline
            if (isLate) return events.frame([Kind.Outcomes, ...header, wireId, Status.Returned, undefined, 0])
            if (kind === "exits") return exit(1)
            setImmediate(() => {
              if (!isOver) events.frame([Kind.Outcomes, ...header, wireId, Status.Succeeded, n, 0.01])
            })
          })
        }
      }
      return {
        workerId: ++workerId,
        started: () => mark,
        send: (frame: Frame) => {
          if (isOver) return false
          if (frame[0] === Kind.Stop) exit(0)
          else if (frame[0] === Kind.Hello) {
            header = frame.slice(1, HEADER)
            setImmediate(() => events.frame([Kind.Ready, ...header]))
          } else if (frame[0] === Kind.Calls) setImmediate(() => read(frame))
          return true
        },
        kill: () => exit(0)
      }
    }
  }
}

/** `killed`: when workers die that read a call which kills its reader; at once by default. */
const open = (options: { maxWorkers: number; concurrency?: number }, killed?: Promise<void>) => {
  const deaths = { count: 0 }
  const Fake = executorClass(workers(deaths, killed))
  return { deaths, executor: new Fake(options) }
}

interface Case {
  readonly kinds: ReadonlyArray<CallKind>
  readonly maxWorkers: number
  readonly concurrency: number
  readonly retries: boolean
}

const cases: fc.Arbitrary<Case> = fc.record({
  kinds: fc.array(fc.constantFrom(...KINDS, "answers" as const, "answers" as const), { minLength: 1, maxLength: 40 }),
  maxWorkers: fc.integer({ min: 1, max: 3 }),
  concurrency: fc.integer({ min: 1, max: 3 }),
  retries: fc.boolean()
})

const holds = async ({ concurrency, kinds, maxWorkers, retries }: Case): Promise<void> => {
  const { deaths, executor } = open({ maxWorkers, concurrency })
  const runs = retries ? Task.with(task, { retry: 1 }) : task
  // Calls of a quick task are sent several at a time.
  for (let n = 0; n < 3; n++) await executor.run(task, "answers", n)
  const futures = kinds.map((kind, n) => executor.submit(runs, kind, n))
  const killers = kinds.filter((kind) => kind === "kills its reader").length
  const exits = kinds.filter((kind) => kind === "exits").length * (retries ? 2 : 1)
  const isBounded = (): boolean => deaths.count <= exits + killers * MAX_RETURNS
  try {
    while (futures.some((future) => !future.done()) && isBounded()) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(deaths.count).toBeLessThanOrEqual(exits + killers * MAX_RETURNS)
    for (const [n, future] of futures.entries()) await hasOutcome(kinds[n]!, n, future, retries)
  } finally {
    await executor.terminate()
  }
}

const hasOutcome = async (kind: CallKind, n: number, future: Future<number>, retries: boolean): Promise<void> => {
  const error = await future.exception()
  if (kind === "answers") {
    // Its worker may die while it runs, and then it is lost; before that it never is.
    const lost = error instanceof PoisonTaskError ? error.cause : error
    if (error === undefined) assert.equal(await future.result(), n)
    else assert.ok(lost instanceof WorkerLostError && lost.message.includes("while running"))
    return
  }
  if (kind === "exits") assert.ok(error instanceof (retries ? PoisonTaskError : WorkerLostError))
  else if (retries) assert.ok(error instanceof PoisonTaskError && error.cause instanceof WorkerLostError)
  else assert.ok(error instanceof WorkerLostError && error.message.includes(`${MAX_RETURNS} times`))
}

afterEach(() => {
  vi.restoreAllMocks()
})

test("A call that kills its worker while it is read fails after three deaths, and no other call fails with it", async () => {
  await fc.assert(fc.asyncProperty(cases, holds), { numRuns: 300, interruptAfterTimeLimit: 10_000 })
})

test("A queue that never counts returns is caught by that property", async () => {
  vi.spyOn(Alone.prototype, "returned").mockReturnValue(1)
  await expect(holds({ kinds: ["kills its reader"], maxWorkers: 1, concurrency: 1, retries: false })).rejects.toThrow(
    "to be less than or equal to 3"
  )
})

test("A queue that counts and lets such calls run beside others is caught by that property", async () => {
  vi.spyOn(Alone.prototype, "handOver").mockImplementation(function(this: Alone, lanes, take) {
    const lane = [...lanes].find((each) => each.state === "ready" && !each.retiring && each.load === 0)
    if (lane !== undefined) { for (const cell of this.drain()) take(cell, lane) }
  })
  const kinds: ReadonlyArray<CallKind> = ["kills its reader", "answers", "answers"]
  await expect(holds({ kinds, maxWorkers: 1, concurrency: 3, retries: false })).rejects.toThrow("falsy")
})

test("The queue timeout of a call goes on while workers die before they start it", async () => {
  const read = Promise.withResolvers<void>()
  const { executor } = open({ maxWorkers: 1 }, read.promise)
  await executor.run(task, "answers", 1)
  const brief = Task.with(task, { queueTimeout: 5 })
  const onItsWay = executor.submit(brief, "kills its reader", 1)
  const behind = executor.submit(brief, "answers", 2)
  const isOver = (error: unknown): boolean => error instanceof TaskTimeoutError && error.clock === "queue"
  // Its timer was set after that of the call in front of it.
  assert.ok(isOver(await behind.exception()))
  assert.equal(onItsWay.done(), false)
  read.resolve()
  assert.ok(isOver(await onItsWay.exception()))
  await executor.terminate()
})

test("A call that kills its worker while it is read costs three workers, and its neighbours have their results", async () => {
  const { deaths, executor } = open({ maxWorkers: 2 })
  const items = Array.from({ length: 20 }, (_, n) => [n === 7 ? "kills its reader" : "answers", n] as const)
  const futures = items.map((item) => executor.submit(task, ...item))
  await wait(futures)
  for (const [n, future] of futures.entries()) {
    if (n === 7) assert.ok(await future.exception() instanceof WorkerLostError)
    else assert.equal(await future.result(), n)
  }
  assert.equal(deaths.count, MAX_RETURNS)
  await executor.shutdown()
})
