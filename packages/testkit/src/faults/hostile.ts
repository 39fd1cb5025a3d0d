/** Tasks that mean harm: what they can reach is their own worker, and no other call. */
import type { Task, WorkerExit } from "@futures/core"
import assert from "node:assert/strict"
import { law, laws } from "../Law.ts"
import type { LawSet } from "../Law.ts"
import { identity } from "../tasks.ts"
import { answer } from "../tasksEffect.ts"
import { later, spoil } from "./tasksHostile.ts"

const needs = ["workers"] as const

/** How a frame with an outcome is changed: fields replaced, then numbers added to fields. */
export interface Forgery {
  /** Fields of the frame, by their place in it, and what they are set to. */
  readonly set?: ReadonlyArray<readonly [field: number, value: unknown]>
  /** Fields of the frame that hold a number, and what is added to it. */
  readonly add?: ReadonlyArray<readonly [field: number, number: number]>
}

/** A task of the backend's author: sends, right after the next frame that its worker sends, the same frame once more with the changes. */
export type Sabotage = Task.Of<(forgery: Forgery) => string>

const KIND = 0
const EXECUTOR = 1
const GENERATION = 2
const CALL = 3
/** In an outcome; items of a generator stand where the status does. */
const STATUS = 4
const VALUE = 4
const RAN = 6

/** Far beyond all calls of a worker's life. */
const turn = 2 ** 40

/** Frames that belong to nothing. */
const strays: ReadonlyArray<readonly [name: string, forgery: Forgery]> = [
  ["A duplicate reply", {}],
  ["A reply of an earlier life of the worker", { add: [[GENERATION, -1]] }],
  ["A reply to another executor", { add: [[EXECUTOR, 1]] }],
  ["A reply to a call that is not there", { add: [[CALL, turn]] }],
  ["A reply to something that is no call", { set: [[CALL, "nonsense"]] }],
  ["A frame of a kind that there is not", { set: [[KIND, 99]] }],
  ["A frame without a kind", { set: [[KIND, { toString: 1 }]] }],
  ["A worker that says again that it is ready", { set: [[KIND, 2]] }],
  ["Progress of a call that is not there", { set: [[KIND, 9]], add: [[CALL, turn]] }],
  ["Items of a call that is not there", { set: [[KIND, 11], [VALUE, []]], add: [[CALL, turn]] }],
  ["A call that is not there and gives its slot back", { set: [[KIND, 13]], add: [[CALL, turn]] }]
]

/** A call of a task, but for the number of its arguments. */
const aCall: Required<Forgery>["set"] = [[KIND, 3], [5, [0, "module", "name"]], [6, 0], [7, 1]]

/** Frames that no worker of ours sends. */
const malformed: ReadonlyArray<readonly [name: string, forgery: Forgery]> = [
  ["A reply with a status that there is not", { set: [[STATUS, 99]] }],
  ["A failure that is none", { set: [[STATUS, 1]] }],
  ["Items that are no list", { set: [[KIND, 11], [VALUE, 42]] }],
  ["A reply that took a time which is no number", { set: [[RAN, NaN]] }],
  ["A call with fewer arguments than it says", { set: [...aCall, [8, 1]] }],
  ["A call with less than no arguments", { set: [...aCall, [8, -1]] }],
  ["A call that is cut short", { set: [[KIND, 3]] }],
  ["A request to stop what is no call", { set: [[KIND, 4], [CALL, "nonsense"]] }],
  ["A request for items that has no number", { set: [[KIND, 12], [VALUE, "many"]] }],
  ["Output on a stream that there is not", { set: [[KIND, 6], [CALL, 77]] }],
  ["An uncaught error that is none", { set: [[KIND, 7], [CALL, 42]] }]
]

/** Laws about globals that a task replaces, and, with the author's help, about frames that a task forges. */
export const hostile = (sabotage: Sabotage): LawSet =>
  laws("hostile tasks", [
    ...["process", "console", "Promise.prototype.then", "Promise.prototype.catch", "process.stdout.write"].map((what) =>
      law(`A task that replaces ${what} harms no other call`, { promises: [5, 8], needs }, async (trial) => {
        const executor = trial.open({ maxWorkers: 1 })
        const { workerId } = await answered(executor.submit(identity, "before"), "before")
        await answered(executor.submit(spoil, what), "spoiled")
        await answered(executor.submit(identity, "plain"), "plain")
        await answered(executor.submit(later, "later"), "later")
        // Node's loader and Effect call `then`: what is not loaded yet, and Effects, are lost to a worker without it.
        if (what !== "Promise.prototype.then") await answered(executor.submit(answer, 42), 42)
        // All of that ran where the harm was done.
        assert.equal((await answered(executor.submit(identity, "after"), "after")).workerId, workerId)
        await executor.shutdown()
        assert.equal(executor.stats().workers, 0)
      })
    ),
    ...strays.map(([name, forgery]) =>
      law(`${name} is dropped and counted`, { promises: [10], needs }, async (trial) => {
        const executor = trial.open({ maxWorkers: 1 })
        const { workerId } = await answered(executor.submit(sabotage, forgery), "sabotaged")
        assert.equal((await answered(executor.submit(identity, "after"), "after")).workerId, workerId)
        assert.equal(executor.stats().strayFrames, 1)
        assert.equal(executor.stats().succeeded, 2)
      })
    ),
    ...malformed.map(([name, forgery]) =>
      law(`${name} ends the worker, with the cause`, { promises: [8, 10], needs }, async (trial) => {
        const { promise: ended, resolve } = Promise.withResolvers<WorkerExit>()
        const executor = trial.open({ maxWorkers: 1, onWorkerExit: resolve })
        await answered(executor.submit(sabotage, forgery), "sabotaged")
        const { cause, reason } = await ended
        assert.equal(reason, "uncaught")
        assert.ok(cause instanceof TypeError)
        await answered(executor.submit(identity, "after"), "after")
        assert.equal(executor.stats().strayFrames, 1)
      })
    )
  ])

type Called = ReturnType<import("@futures/core").Executor["submit"]>

const answered = async (future: Called, value: unknown): Promise<Called["info"]> => {
  assert.deepEqual(await future.result(), value)
  return future.info
}
