/** Workers on machines that others want too: recalled by their backend, lost with their machine. */
import { PoisonTaskError, Task, WorkerLostError } from "@futures/core"
import { executorClass, frames } from "@futures/core/Backend"
import type { Backend, Frame, LinkEvents } from "@futures/core/Backend"
import assert from "node:assert/strict"
import { test } from "vitest"

const { Kind, Status } = frames
const { task } = Task.from<{ task: (n: number) => number }>("node:nothing")

interface FakeWorker {
  readonly events: LinkEvents
  readonly number: number
  /** Wire ids of the calls that it was given. */
  readonly calls: Array<number>
  readonly say: (kind: number, ...body: ReadonlyArray<unknown>) => void
}

/** Workers that do what a test says, `onCall` with each call. */
const fake = (onSpawn: (worker: FakeWorker) => void, onCall: (worker: FakeWorker, wireId: number) => void): Backend => {
  let number = 0
  return {
    name: "fake",
    sharesMemory: true,
    spawn: (_, events) => {
      let header: ReadonlyArray<unknown> = []
      const worker: FakeWorker = {
        events,
        number: number++,
        calls: [],
        say: (kind, ...body) => events.frame([kind, ...header, ...body])
      }
      const end = (): void => setImmediate(() => events.exit({ exitCode: 0 })) as never
      return {
        workerId: worker.number,
        send: (frame: Frame) => {
          if (frame[0] === Kind.Stop) end()
          else if (frame[0] === Kind.Hello) {
            header = frame.slice(1, frames.HEADER)
            onSpawn(worker)
            setImmediate(() => worker.say(Kind.Ready))
          } else if (frame[0] === Kind.Calls) {
            const wireId = frame[frames.HEADER] as number
            worker.calls.push(wireId)
            setImmediate(() => onCall(worker, wireId))
          }
          return true
        },
        kill: end
      }
    }
  }
}

const answer = ({ number, say }: FakeWorker, wireId: number): void =>
  say(Kind.Outcomes, wireId, Status.Succeeded, number, 0)

test("A worker that is recalled while it starts is ended, and another does its calls", async () => {
  const Fake = executorClass(fake(({ events, number }) => {
    if (number === 0) events.recall()
  }, answer))
  const exits: Array<unknown> = []
  await using executor = new Fake({ maxWorkers: 1, onWorkerExit: ({ workerId }) => exits.push(workerId) })
  assert.equal(await executor.run(task, 1), 1)
  assert.deepEqual(exits, [0])
})

test("A worker that is recalled finishes what it has, and takes nothing more", async () => {
  const Fake = executorClass(fake(() => {}, (worker, wireId) => {
    if (worker.number === 0) worker.events.recall()
    answer(worker, wireId)
  }))
  await using executor = new Fake({ maxWorkers: 1 })
  assert.deepEqual(await Promise.all([1, 2, 3].map((n) => executor.run(task, n))), [0, 1, 1])
})

test("Of calls that are lost with machines one that kills each is found, and those beside it have their results", async () => {
  const poison = 2
  const given = new Map<number, ReadonlyArray<unknown>>()
  const backend = fake(() => {}, (worker, wireId) => {
    const args = given.get(wireId)
    if (args?.[0] === poison) {
      return worker.events.exit({ redeliver: 3, error: new Error("The machine is gone") })
    }
    answer(worker, wireId)
  })
  const spawn: Backend["spawn"] = (spec, events) => {
    const link = backend.spawn(spec, events)
    return {
      ...link,
      send: (frame, transfers) => {
        given.clear()
        if (frame[0] === Kind.Calls) {
          given.set(frame[frames.HEADER] as number, frames.argsAt(frame, frames.HEADER))
        }
        return link.send(frame, transfers)
      }
    }
  }
  const told: Array<unknown> = []
  const Fake = executorClass({ ...backend, spawn, poisoned: ({ args, attempts }) => told.push([...args, attempts]) })
  await using executor = new Fake({ maxWorkers: 1 })
  const futures = [1, 2, 3].map((n) => executor.submit(task, n))
  const error = await futures[1]!.exception()
  assert.ok(error instanceof PoisonTaskError)
  assert.equal(error.attempts, 3)
  assert.ok(error.cause instanceof WorkerLostError && error.cause.reason === "machine")
  assert.deepEqual(told, [[2, 3]])
  for (const index of [0, 2]) assert.equal(typeof await futures[index]!.result(), "number")
})
