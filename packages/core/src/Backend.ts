/**
 * The seam: what differs between one kind of worker and another.
 *
 * A backend says how a worker is born, how frames cross, and how a worker is ended. Everything else (queue, dispatch, settling, supervision, values,
 * errors) is the engine's, and is the same for all. A frame is a plain array; a backend never looks into one.
 *
 * On the worker's side, call `serve(port)` of `@futures/core/Worker`.
 */
export { toBytes } from "./byteSize.ts"
export type { ByteSizeInput } from "./byteSize.ts"
export { toMillis } from "./duration.ts"
export { flagsOf, inheritedExecArgv } from "./engine/execArgv.ts"
export { resolveModule } from "./engine/resolveModule.ts"
export type { CallServer, Configure, ExecutorClass, ExecutorClassOf } from "./executorClass.ts"
export { executorClass, serveCalls } from "./executorClass.ts"
export { openCell } from "./ExecutorService.ts"
export { executorOptionNames } from "./options.ts"
export { ownObject, ownOptions } from "./unknownOption.ts"
export { encodeFrame, encodeParts, FrameReader } from "./wire/bytes.ts"
export { claim, makeClaims, requestStop } from "./wire/claims.ts"
export { encodeError } from "./wire/error.ts"
export * as frames from "./wire/frames.ts"
export type { Frame } from "./wire/frames.ts"
export { cannotBeSent, OversizedFrameError } from "./wire/oversize.ts"
/** Node's timers and clocks as they were at the start: for a backend that is to work under fake timers. */
export * as timers from "./timers.ts"
export { monotonic } from "./wire/monotonic.ts"

import type { Frame } from "./wire/frames.ts"

/** What a worker is to be given when it is born. */
export interface SpawnSpec {
  /** The executor's name with the worker's number, for process lists and debuggers. */
  readonly name: string
  /** Environment of the worker: the parent's when the executor was created, with the option `env` over it. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The parent's working directory when the executor was created; `undefined` while the parent is still in it. */
  readonly directory: string | undefined
  /** Node arguments that the worker inherits: the parent's own that apply, and the export condition for workers. */
  readonly inheritedExecArgv: ReadonlyArray<string>
  /** Node arguments that the user asked for. */
  readonly execArgv: ReadonlyArray<string>
  /** The option `argv`: added to the worker's `process.argv`. */
  readonly argv: ReadonlyArray<string>
  /** The option `resourceLimits`, in MiB. */
  readonly resourceLimits: Readonly<Record<string, number>> | undefined
  /** The option `idleTimeout`, in milliseconds; may be `Infinity`. The executor ends idle workers itself; a backend whose workers can lose the executor ends them. */
  readonly idleTimeout: number
  /** The option `exitTimeout`, in milliseconds; may be `Infinity`. For backends whose workers may outlive the program for a while. */
  readonly exitTimeout: number
}

/** Why a worker ended. */
export interface LinkExit {
  /** What the worker exited with. */
  readonly exitCode?: number | undefined
  /** The signal that ended it, such as `"SIGKILL"`. */
  readonly signal?: string | undefined
  /** An error that the backend itself saw: a failed spawn, a broken channel, an uncaught error of the worker. */
  readonly error?: unknown
  /**
   * The worker did nothing wrong: its whole machine is gone. Calls that ran on it are handed to others, until so many machines have died under one: then it
   * counts as what kills them, and fails with `PoisonTaskError`. 0: none is handed on, each fails with `WorkerLostError` (`reason: "machine"`).
   */
  readonly redeliver?: number | undefined
}

/** What a link tells the engine. Handlers never throw. */
export interface LinkEvents {
  /** A frame arrived; frames arrive in the order in which they were sent. */
  readonly frame: (frame: Frame) => void
  /** The worker has ended. Exactly once; no frame arrives afterwards. */
  readonly exit: (exit: LinkExit) => void
  /** The worker is wanted elsewhere: it is given no more calls, and ended once it has none. */
  readonly recall: () => void
  /** What `Link.started` returns has changed. Only links call it that learn of that late. */
  readonly marked?: (() => void) | undefined
  /**
   * Calls that were sent ahead (`SentCalls.isAhead`), in this range of wire ids, will not be started by the worker. `isLate`: because a call in front of
   * them ran longer than expected. Only links of `RemotePlace`s call it.
   */
  readonly returned?: ((from: number, to: number, isLate: boolean) => void) | undefined
}

/** What a frame of calls holds, for a link that does not look into frames. */
export interface SentCalls {
  /** The wire id of the first call. */
  readonly first: number
  /** The wire id of the last call. */
  readonly last: number
  /** Whether the calls are sent ahead of those that the worker runs: their deadline is `LEASED`, and they may be given back. */
  readonly isAhead: boolean
  /** Expected run time of all of them together (ms). */
  readonly expectedMs: number
}

/** One worker, from the parent's side. A link by itself does not keep the process alive: the engine does, while calls are pending. */
export interface Link {
  /** Process id, thread id: what `info.workerId` shows. */
  readonly workerId: number | string
  /** Hands a frame over. Answers `false` once the worker has ended; never throws for that. `transfers` may be ignored where memory is not shared. */
  readonly send: (frame: Frame, transfers: ReadonlyArray<ArrayBuffer>, calls?: SentCalls) => boolean
  /**
   * What the worker last gave to `WorkerPort.mark`, 0 before; readable after its death. Quick calls are handed over several at a time only where this is
   * known, since otherwise nobody could say which of them a dead worker had started.
   */
  readonly started?: (() => number) | undefined
  /** Where the worker lives on another machine, whose clock and whose memory are read from afar. */
  readonly remote?: RemotePlace | undefined
  /**
   * How many bytes have been received of a frame that is not complete yet; 0 for none. Before a worker is killed because it did
   * not answer, such a frame is received to its end. Absent where frames arrive whole.
   */
  readonly arriving?: (() => number) | undefined
  /**
   * Takes a call back, by its wire id. Returns `true` only when it is certain that the worker has not started it and will not: the call can
   * then be cancelled as if it were in the queue. The worker's side is `WorkerPort.claim`.
   */
  readonly withdraw?: ((wireId: number) => boolean) | undefined
  /**
   * Called while the program exits, after the worker was asked to end (a `Stop` frame was sent): blocks until the worker has exited and what it sent
   * is received, or for so many milliseconds. Returns whether it has exited. Absent where workers do not need the program to exit in order.
   */
  readonly waitForExit?: ((timeoutMs: number) => boolean) | undefined
  /**
   * Lets the worker see that a call is to stop, by its wire id, while it computes and reads no frame; the frame follows. The worker's side is
   * `WorkerPort.stopRequested`. Absent where nothing but frames reaches the worker: a computing task then sees its run timeout only.
   */
  readonly requestStop?: ((wireId: number) => void) | undefined
  /** Ends the worker now, whatever it does. `exit` follows when it is gone; may be called more than once. */
  readonly kill: () => void
}

/** A worker's place on another machine. */
export interface RemotePlace {
  /** Settles once there is a place for it; never rejects. Until then nothing is sent, and `startTimeout` does not count. */
  readonly placed: Promise<void>
  /** What `info.host` and `info.engine` show; known once it is placed. */
  readonly host: string
  /** The engine that it is on. */
  readonly engine: string
  /** Expected work (ms) that its worker may hold ahead: enough to keep it busy during a round trip. */
  readonly window: () => number
  /** Calls that its worker may hold, at most. */
  readonly mostCalls: () => number
  /**
   * Asks for calls that were sent ahead and not passed to the worker: those in the frame of a wire id, or about half of all. `LinkEvents.returned` follows
   * in any case. A call that is named so is to stop: where the worker has it already, the place lets it see that, as `Link.requestStop` would.
   */
  readonly giveBack: (wireId?: number) => void
}

/** A call that killed the machine that it ran on, each time. */
export interface PoisonedCall {
  /** As in `info.id`. */
  readonly id: number
  /** The URL of the task's module. */
  readonly module: string
  /** The task's name in it. */
  readonly name: string
  /** What it was called with. */
  readonly args: ReadonlyArray<unknown>
  /** How often it was run. */
  readonly attempts: number
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
  /**
   * From the URL of a task's module to what travels, where the worker finds the module elsewhere; the other way is `WorkerPort.resolve`. What it answered
   * once it answers with itself.
   */
  readonly locate?: ((module: string) => string) | undefined
  /** Told of a call that ended as the one that kills machines (`LinkExit.redeliver`). */
  readonly poisoned?: ((call: PoisonedCall) => void) | undefined
  /** Whether each item of a map goes as a call of its own. */
  readonly single?: boolean | undefined
  /** The number of the next call, where it must be good beyond this executor's life; 1, 2, 3, ... by default. */
  readonly nextCall?: (() => number) | undefined
  /** Why no worker can start now, as the end of a sentence, for the error of a queue timeout; `undefined` when one can. */
  readonly whyNoWorker?: (() => string | undefined) | undefined
  /** What the option `queueTimeout` of a call must be, where nobody could keep it: calls that have one fail with `InvalidOptionError`. */
  readonly queueTimeoutExpected?: string | undefined
  /** Ends what this backend holds for its executor, once that has ended and no worker is left. */
  readonly close?: (() => Promise<void>) | undefined
  /** Workers that may be starting at a time; the number of cores by default. */
  readonly startsAtATime?: number | undefined
  /** Starts a worker. May throw, or report `exit` later. */
  readonly spawn: (spec: SpawnSpec, events: LinkEvents) => Link
}
