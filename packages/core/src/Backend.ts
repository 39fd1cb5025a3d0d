/**
 * The seam: what differs between one kind of worker and another.
 *
 * A backend says how a worker is born, how frames cross, and how a worker is ended. Everything else (queue, dispatch, settling, supervision, values,
 * errors) is the engine's, and is the same for all. A frame is a plain array; a backend never looks into one.
 *
 * On the worker's side, call `serve(port)` of `@futures/core/Worker`.
 */
export type { ExecutorClass } from "./executorClass.ts"
export { executorClass } from "./executorClass.ts"
export { encodeFrame, FrameReader } from "./wire/bytes.ts"
export type { Frame } from "./wire/frames.ts"

import type { Frame } from "./wire/frames.ts"

/** What a worker is to be given when it is born. */
export interface SpawnSpec {
  /** The executor's name with the worker's number, for process lists and debuggers. */
  readonly name: string
  /** Environment of the worker: the parent's, with the option `env` over it. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Node arguments that the worker inherits: the parent's own that apply, and the export condition for workers. */
  readonly inheritedExecArgv: ReadonlyArray<string>
  /** Node arguments that the user asked for. */
  readonly execArgv: ReadonlyArray<string>
  readonly resourceLimits: Readonly<Record<string, number>> | undefined
}

/** Why a worker ended. */
export interface LinkExit {
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
  /** An error that the backend itself saw: a failed spawn, a broken channel, an uncaught error of the worker. */
  readonly error?: unknown
}

/** What a link tells the engine. Handlers never throw. */
export interface LinkEvents {
  /** A frame arrived; frames arrive in the order in which they were sent. */
  readonly frame: (frame: Frame) => void
  /** The worker has ended. Exactly once; no frame arrives afterwards. */
  readonly exit: (exit: LinkExit) => void
}

/** One worker, from the parent's side. A link by itself does not keep the process alive: the engine does, while calls are pending. */
export interface Link {
  /** Process id, thread id: what `info.workerId` shows. */
  readonly workerId: number | string
  /** Hands a frame over. Answers `false` once the worker has ended; never throws for that. `transfers` may be ignored where memory is not shared. */
  readonly send: (frame: Frame, transfers: ReadonlyArray<ArrayBuffer>) => boolean
  /**
   * What the worker last gave to `WorkerPort.mark`, 0 before; readable after its death. Quick calls are handed over several at a time only where this is
   * known, since otherwise nobody could say which of them a dead worker had started.
   */
  readonly started?: (() => number) | undefined
  /** Ends the worker now, whatever it does. `exit` follows when it is gone; may be called more than once. */
  readonly kill: () => void
}

/** A kind of worker. */
export interface Backend {
  /** `"thread"`, `"process"`, ...: what `EXECUTOR_BACKEND` would say. */
  readonly name: string
  /** Whether values cross as structured clones within one memory: then `SharedArrayBuffer` travels and `transfer` moves. */
  readonly sharesMemory: boolean
  /** How many calls an executor runs at a time when `maxWorkers` is not given; the number of cores by default. */
  readonly defaultMaxWorkers?: number | undefined
  /**
   * Whether the other side is an executor itself, which queues calls, keeps their clocks and stops them: then none of that is done here, and a worker
   * takes as many calls as `concurrency` says.
   */
  readonly remote?: boolean | undefined
  /** Starts a worker. May throw, or report `exit` later. */
  readonly spawn: (spec: SpawnSpec, events: LinkEvents) => Link
}
