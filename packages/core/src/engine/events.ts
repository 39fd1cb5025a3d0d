/**
 * What happens to calls and workers, told on channels of `node:diagnostics_channel` to whoever listens.
 *
 * ```
 * submit ──▶ start ──▶ settle              a call; once each, in this order
 * submit ──▶ settle                        it never started: refused, cancelled, its time in the queue ran out
 * start ──▶ retry ──▶ start                an attempt failed, and there is another
 * start ──▶ start                          the worker did not begin it in time, and another did
 * worker start ──▶ worker ready ──▶ worker exit
 * ```
 *
 * A channel without a subscriber costs the look at one property. Calls that a task hands in are told by the executor that runs them, not by the worker.
 */
import { channel } from "node:diagnostics_channel"
import type { FutureInfo } from "../Future.ts"
import type { WorkerExit } from "../options.ts"
import { performance } from "../timers.ts"
import { State } from "./Call.ts"
import type { Engine, ExecutorStats } from "./Engine.ts"
import type { Failure } from "./Failure.ts"
import type { FutureCell } from "./FutureCell.ts"
import type { Lane } from "./Lane.ts"

/** Which executor tells, and its numbers at that moment. */
export interface ExecutorEvent {
  /** The executor that tells. */
  readonly executor: {
    /** Unique in this process. */
    readonly id: number
    /** The option `name`. */
    readonly name: string
    /** `"inline"`, `"thread"`, `"process"`, ... */
    readonly backend: string
  }
  /** Its numbers at that moment. */
  readonly stats: ExecutorStats
}

/** `futures:call:submit`: a call was handed in, synchronously, where its caller is. `futures:call:start`: it was handed to a worker. */
export interface CallEvent extends ExecutorEvent {
  /** A chunk of a `map` is one call. */
  readonly call: FutureInfo
}

/** `futures:call:retry`: an attempt failed, and there will be another. `call` is that attempt. */
export interface CallRetryEvent extends CallEvent {
  /** What the attempt failed with. */
  readonly error: unknown
  /** Milliseconds that the attempt took, as its worker measured it, or, if that died, as it was seen from here. */
  readonly ran: number
}

/** `futures:call:settle`: it has its outcome. */
export interface CallSettleEvent extends CallEvent {
  /** How it ended. */
  readonly outcome: "succeeded" | "failed" | "cancelled"
  /** What `result()` rejects with; `undefined` after success. */
  readonly error: unknown
  /** Milliseconds that the last attempt took; `undefined` when it never started. */
  readonly ran: number | undefined
}

/** `futures:worker:start`: a worker is being started. `futures:worker:ready`: it can take calls. */
export interface WorkerEvent extends ExecutorEvent {
  /** The worker that it is about. */
  readonly worker: {
    /** The executor's name, and the number of the worker in it. */
    readonly name: string
    /** Thread id, process id or `"inline"`; `undefined` before it is known. */
    readonly id: number | string | undefined
  }
}

/** `futures:worker:exit`: it has ended, or is given up because it cannot be ended (`reason: "unkillable"`). */
export interface WorkerExitEvent extends WorkerEvent, Omit<WorkerExit, "workerId"> {}

/** What is told on each channel. */
export interface ExecutorEvents {
  /** A call was handed in. */
  readonly "futures:call:submit": CallEvent
  /** A worker has started a call: published within 15 ms, or before its outcome. */
  readonly "futures:call:start": CallEvent
  /** An attempt failed, and there will be another. */
  readonly "futures:call:retry": CallRetryEvent
  /** A call has its outcome. */
  readonly "futures:call:settle": CallSettleEvent
  /** A worker is being started. */
  readonly "futures:worker:start": WorkerEvent
  /** A worker can take calls. */
  readonly "futures:worker:ready": WorkerEvent
  /** A worker has ended, or is given up. */
  readonly "futures:worker:exit": WorkerExitEvent
}

const open = <Name extends keyof ExecutorEvents>(name: Name) => {
  const opened = channel(name)
  return {
    /** Whether anybody listens. */
    isHeard: ({ waiting }: Engine): boolean => opened.hasSubscribers && waiting === undefined,
    tell: (event: ExecutorEvents[Name]): void => opened.publish(event)
  }
}

const submit = open("futures:call:submit")
const start = open("futures:call:start")
const retry = open("futures:call:retry")
const settle = open("futures:call:settle")
const workerStart = open("futures:worker:start")
const workerReady = open("futures:worker:ready")
const workerExit = open("futures:worker:exit")

const ofExecutor = ({ backend, id, options, stats }: Engine): ExecutorEvent => ({
  executor: { id, name: options.name, backend: backend.name },
  stats
})

const ofCall = (engine: Engine, cell: FutureCell): CallEvent => ({ ...ofExecutor(engine), call: cell.info })

const ofWorker = (engine: Engine, { generation, workerId }: Lane): WorkerEvent => ({
  ...ofExecutor(engine),
  worker: { name: `${engine.options.name}-${generation}`, id: workerId }
})

/** How long the attempt took that has just ended. */
const ranOf = ({ ran, startedAt }: FutureCell): number | undefined => {
  if (Number.isNaN(startedAt)) return undefined
  return ran > 0 ? ran : performance.now() - startedAt
}

const outcomes = { [State.Succeeded]: "succeeded", [State.Failed]: "failed", [State.Cancelled]: "cancelled" } as const

export const tellSubmit = (engine: Engine, cell: FutureCell): void => {
  if (submit.isHeard(engine)) submit.tell(ofCall(engine, cell))
}

export const tellStart = (engine: Engine, cell: FutureCell): void => {
  if (start.isHeard(engine)) start.tell(ofCall(engine, cell))
}

/** Takes what is known of an attempt that failed, before it is forgotten; the answer tells that there will be another. */
export const tellRetry = (engine: Engine, cell: FutureCell, failure: Failure): (() => void) | undefined => {
  if (!retry.isHeard(engine)) return undefined
  const call = cell.info
  const ran = ranOf(cell)!
  return () => retry.tell({ ...ofExecutor(engine), call, error: failure.build(cell.label), ran })
}

export const tellSettle = (engine: Engine, cell: FutureCell): void => {
  if (!settle.isHeard(engine)) return
  const state = cell.code as keyof typeof outcomes
  const error = state === State.Succeeded ? undefined : cell.error()
  settle.tell({ ...ofCall(engine, cell), outcome: outcomes[state], error, ran: ranOf(cell) })
}

export const tellWorkerStart = (engine: Engine, lane: Lane): void => {
  if (workerStart.isHeard(engine)) workerStart.tell(ofWorker(engine, lane))
}

export const tellWorkerReady = (engine: Engine, lane: Lane): void => {
  if (workerReady.isHeard(engine)) workerReady.tell(ofWorker(engine, lane))
}

export const tellWorkerExit = (engine: Engine, lane: Lane, exit: WorkerExit): void => {
  if (!workerExit.isHeard(engine)) return
  const { workerId: _, ...rest } = exit
  workerExit.tell({ ...ofWorker(engine, lane), ...rest })
}
