/**
 * What crosses between the parent and a worker.
 *
 * A frame is a plain array `[kind, executor, generation, ...body]`. `executor` and `generation` name the worker's life that it belongs to: a late
 * frame of an earlier life is recognised, dropped and counted. Calls and outcomes are flat lists, so one frame carries any number of them.
 *
 * ```
 * parent ── Hello ──▶ worker         once, first
 * parent ◀─ Ready ─── worker         once, when it can take calls
 * parent ── Calls ──▶ worker         n calls
 * parent ── Interrupt ▶ worker       ask calls to stop
 * parent ◀─ Outcomes  worker         n outcomes
 * parent ◀─ Output ── worker         what tasks wrote to stdout and stderr, before the outcome of the call that wrote it
 * parent ◀─ Fatal ─── worker         an uncaught error; the worker ends
 * parent ── Stop ───▶ worker         no more calls will come: end
 * ```
 */
import type { ErrorRecord } from "./error.ts"

/** Raised whenever a frame changes its shape, so that two versions that meet refuse each other instead of misreading. */
export const WIRE_VERSION = 1

export const Kind = {
  Hello: 1,
  Ready: 2,
  Calls: 3,
  Interrupt: 4,
  Outcomes: 5,
  Output: 6,
  Fatal: 7,
  Stop: 8
} as const

/** The first three fields of every frame. */
export const HEADER = 3

/** What a worker is told once. */
export interface Setup {
  readonly version: number
  readonly workerId: number | string | undefined
  /** Calls that may run at a time. */
  readonly concurrency: number
  /** Whether what tasks write to stdout and stderr travels as `Output` frames. */
  readonly pipeOutput: boolean
}

/**
 * A call in a `Calls` frame, as `CALL_STRIDE` consecutive fields:
 * - `wireId`: this hand-over of the call, never used twice in a worker's life; outcomes name it
 * - `callId`: the future's id
 * - `task`: the index of a task that this worker already knows, or `[index, module, name]` the first time
 * - `args`: the captured arguments
 * - `meta`: the attempt (1 for the first run) of a plain call, or a `CallMeta`
 */
export const CALL_STRIDE = 5
export interface CallMeta {
  readonly attempt: number
  /** `args` holds one array of items: the task is called with each, and the value is a flat list of `status`, value or `ErrorRecord`. */
  readonly each: boolean
}
export type TaskReference = number | readonly [index: number, module: string, name: string]

/**
 * An outcome in an `Outcomes` frame, as `OUTCOME_STRIDE` consecutive fields: `wireId`, `status`, the captured value or an `ErrorRecord`, and how many
 * milliseconds the call ran.
 */
export const OUTCOME_STRIDE = 4

export const Status = {
  /** The value of the task. */
  Succeeded: 0,
  /** The task threw or rejected: an `ErrorRecord`. */
  Threw: 1,
  /** The task's Effect failed with a typed error: an `ErrorRecord`. */
  Failed: 2,
  /** The task stopped because it was asked to. */
  Interrupted: 3,
  /** The call itself was at fault (no such task, a result that cannot travel): an `ErrorRecord` of an error of ours. */
  Refused: 4
} as const
export type Status = (typeof Status)[keyof typeof Status]

export type Frame = ReadonlyArray<unknown>

/** What a `Fatal` frame holds after its header. */
export type FatalBody = readonly [error: ErrorRecord]
