/** The calls of a soak: what each does, and how it may end when nobody meddles with it. */
import {
  CancelledError,
  NotPortableError,
  PoisonTaskError,
  QueueFullError,
  Task,
  TaskTimeoutError,
  WorkerLostError
} from "@futures/core"
import type { Executor, Future } from "@futures/core"
import assert from "node:assert/strict"
import type { Capability } from "../Subject.ts"
import {
  answer,
  answerWithFunction,
  answerWithMuch,
  beAsked,
  die,
  exit,
  fail,
  failLater,
  failOnce,
  failUncaught,
  hold,
  ignoreAsking,
  later,
  spin
} from "./tasks.ts"
import type { Noted } from "./tasks.ts"

/** How a call ended. */
export type Ending =
  | "succeeded"
  | "failed"
  | "cancelled"
  | "lost"
  | "poisoned"
  | "timed out"
  | "not started in time"
  | "not portable"
  | "refused"

export interface Kind {
  readonly name: string
  /** How often it is picked, beside the others. */
  readonly weight: number
  readonly needs: ReadonlyArray<Capability>
  readonly submit: (executor: Executor, call: Noted) => Future<unknown, unknown>
  readonly ends: ReadonlyArray<Ending>
  /** Whether its worker may end under it, and under its neighbours. */
  readonly deadly: boolean
  /** Whether it goes on until somebody stops it. */
  readonly endless: boolean
}

type Facts = Partial<Pick<Kind, "deadly" | "endless" | "needs">>

const kind = (name: string, weight: number, ends: Kind["ends"], submit: Kind["submit"], facts: Facts = {}): Kind => ({
  name,
  weight,
  ends,
  submit,
  deadly: false,
  endless: false,
  needs: facts.deadly === true ? ["workers"] : [],
  ...facts
})

const deadly = { deadly: true }
/** Milliseconds that a call may run, or wait, that has a clock. */
const PATIENCE = 15

export const kinds: ReadonlyArray<Kind> = [
  kind("answers", 3_000, ["succeeded"], (executor, call) => executor.submit(answer, call)),
  kind("answers later", 1_000, ["succeeded"], (executor, call) => executor.submit(later, call)),
  kind("takes a while", 60, ["succeeded"], (executor, call) => executor.submit(hold, call)),
  kind("answers with much", 10, ["succeeded"], (executor, call) => executor.submit(answerWithMuch, call)),
  kind("throws", 40, ["failed"], (executor, call) => executor.submit(fail, call)),
  kind("throws later", 20, ["failed"], (executor, call) => executor.submit(failLater, call)),
  kind(
    "has an argument that cannot travel",
    10,
    ["not portable"],
    (executor, call) => executor.submit(answer, { ...call, callback: () => call } as Noted)
  ),
  kind(
    "has a result that cannot travel",
    10,
    ["not portable"],
    (executor, call) => executor.submit(answerWithFunction, call)
  ),
  kind(
    "has a priority",
    30,
    ["succeeded"],
    (executor, call) => executor.submit(Task.with(answer, { priority: 5 }), call)
  ),
  kind(
    "is tried again",
    20,
    ["succeeded"],
    (executor, call) => executor.submit(Task.with(failOnce, { retry: 2 }), call)
  ),
  kind(
    "waits a short time at most",
    20,
    ["succeeded", "not started in time"],
    (executor, call) => executor.submit(Task.with(answer, { queueTimeout: PATIENCE }), call)
  ),
  kind(
    "runs until its clock",
    8,
    ["timed out"],
    (executor, call) => executor.submit(Task.with(beAsked, { timeout: PATIENCE }), call)
  ),
  kind(
    "runs until its signal",
    8,
    ["cancelled"],
    (executor, call) => executor.submit(Task.with(beAsked, { signal: AbortSignal.timeout(PATIENCE) }), call)
  ),
  kind("runs until it is asked", 15, [], (executor, call) => executor.submit(beAsked, call), { endless: true }),
  kind("exits", 4, ["lost"], (executor, call) => executor.submit(exit, call), deadly),
  kind("is killed", 2, ["lost"], (executor, call) => executor.submit(die, call), {
    ...deadly,
    needs: ["workers", "own process"]
  }),
  kind("throws where nobody catches", 2, ["lost"], (executor, call) => executor.submit(failUncaught, call), deadly),
  kind(
    "exits at every attempt",
    1,
    ["poisoned"],
    (executor, call) => executor.submit(Task.with(exit, { retry: 1 }), call),
    deadly
  ),
  kind(
    "ignores its clock",
    1,
    ["timed out"],
    (executor, call) => executor.submit(Task.with(ignoreAsking, { timeout: PATIENCE }), call),
    deadly
  ),
  kind(
    "spins until its clock",
    1,
    ["timed out"],
    (executor, call) => executor.submit(Task.with(spin, { timeout: PATIENCE }), call),
    deadly
  ),
  kind("ignores who asks", 1, [], (executor, call) => executor.submit(ignoreAsking, call), {
    ...deadly,
    endless: true
  })
]

/** How a call with this word ended; breaks the soak when the value or the error is another's. */
export const endingOf = async (future: Future<unknown, unknown>, word: string): Promise<Ending> => {
  let value: unknown
  try {
    value = await future.result()
  } catch (error) {
    return failureOf(error, word)
  }
  assert.equal(typeof value === "object" ? (value as Noted).word : value, word, "its own result")
  return "succeeded"
}

const failureOf = (error: unknown, word: string): Ending => {
  if (error instanceof CancelledError) return "cancelled"
  if (error instanceof WorkerLostError) return "lost"
  if (error instanceof PoisonTaskError) return "poisoned"
  if (error instanceof NotPortableError) return "not portable"
  if (error instanceof QueueFullError) return "refused"
  if (error instanceof TaskTimeoutError) return error.clock === "queue" ? "not started in time" : "timed out"
  assert.equal((error as Error).message, word, "its own error")
  return "failed"
}
