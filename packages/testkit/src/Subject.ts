/** What a backend's author says about a backend: the class, and what it cannot do. */
import type { ExecutorClass } from "@futures/core"

/**
 * What a law may need of a backend, beyond the contract that all share:
 * - `workers`: calls run apart from the caller, so that a worker may exit under a task, fail to start, and be ended by force
 * - `own process`: a worker may abort, crash or be killed without taking the caller along
 * - `shared memory`: what only lives in one memory (`SharedArrayBuffer`, `MessagePort`) arrives as itself
 * - `marks`: it is known, after a sudden death, what the worker had started
 * - `stop requests`: a worker sees that a call is to stop also while its task computes
 * - `own timers`: it schedules by timers that a program cannot replace
 */
export type Capability = "workers" | "own process" | "shared memory" | "marks" | "own timers" | "stop requests"

/** Something that a backend cannot do. It is printed wherever the laws are run, so that nobody has to find out. */
export interface Gap {
  /** A capability, which excuses every law that needs it, or the name of one law. */
  readonly name: Capability | (string & {})
  /** Why, in words for a user of the backend. */
  readonly reason: string
}

/** A backend, as its author hands it to the laws. */
export interface Subject {
  /** `"thread"`, `"process"`, ...: what `EXECUTOR_BACKEND` would say. */
  readonly name: string
  /** The class of its executors. */
  readonly executor: ExecutorClass
  /** What it cannot do, each with its reason; nothing by default. */
  readonly gaps?: ReadonlyArray<Gap> | undefined
}
