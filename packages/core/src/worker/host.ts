/**
 * The worker's side: takes calls, runs them, answers.
 *
 * ```
 * waiting ──▶ running ──▶ answered         a call; asked to stop while waiting, it never runs
 * ```
 *
 * Loaded by every worker: it imports neither the engine nor Effect. Outcomes are collected and sent together, after the code that is running now.
 */
import { NotPortableError } from "../ExecutorError.ts"
import { encodeError } from "../wire/error.ts"
import type { ErrorRecord } from "../wire/error.ts"
import { CALL_STRIDE, HEADER, Kind, Status, WIRE_VERSION } from "../wire/frames.ts"
import type { CallMeta, Frame, Setup, TaskReference } from "../wire/frames.ts"
import { captureValue } from "../wire/value.ts"
import type { CaptureMode } from "../wire/value.ts"
import { runAs } from "./context.ts"
import type { TaskContext } from "./context.ts"
import { isEffect, runEffect } from "./effects.ts"
import { loadTask } from "./load.ts"
import type { TaskDefinition } from "./registry.ts"

/** The worker's end of a link. */
export interface WorkerPort extends CaptureMode {
  readonly send: (frame: Frame, transfers: ReadonlyArray<ArrayBuffer>) => void
  /** Ends this worker; nothing more will be asked of it. */
  readonly end: () => void
}

interface RunningCall extends TaskContext {
  readonly wireId: number
  readonly abort: () => void
  readonly startedAt: number
}

class CallContext implements RunningCall {
  readonly wireId: number
  readonly id: number
  readonly attempt: number
  readonly workerId: number | string
  readonly startedAt = performance.now()
  asked = false
  #controller: AbortController | undefined

  constructor(wireId: number, id: number, attempt: number, workerId: number | string) {
    this.wireId = wireId
    this.id = id
    this.attempt = attempt
    this.workerId = workerId
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.asked) this.#controller.abort()
    }
    return this.#controller.signal
  }

  abort(): void {
    this.asked = true
    this.#controller?.abort()
  }
}

type Answer = (status: Status, value: unknown) => void

/** A call as it waits here. */
interface WaitingCall {
  readonly wireId: number
  readonly callId: number
  readonly task: number
  readonly args: ReadonlyArray<unknown>
  readonly meta: number | CallMeta
}

const attemptOf = (call: WaitingCall): number => typeof call.meta === "number" ? call.meta : call.meta.attempt

export class Host {
  readonly #port: WorkerPort
  #executor = 0
  #generation = 0
  #setup: Setup | undefined
  /** Tasks by the index that the parent gave them. */
  readonly #tasks: Array<{ readonly module: string; readonly name: string; definition: TaskDefinition | undefined }> =
    []
  readonly #waiting: Array<WaitingCall> = []
  readonly #running = new Map<number, CallContext>()
  #outcomes: Array<unknown> | undefined
  #transfers: Array<ArrayBuffer> = []
  #stopping = false

  constructor(port: WorkerPort) {
    this.#port = port
  }

  get setup(): Setup | undefined {
    return this.#setup
  }

  receive(frame: Frame): void {
    switch (frame[0]) {
      case Kind.Hello:
        return this.#greet(frame)
      case Kind.Calls:
        for (let at = HEADER; at + CALL_STRIDE <= frame.length; at += CALL_STRIDE) {
          this.#waiting.push({
            wireId: frame[at] as number,
            callId: frame[at + 1] as number,
            task: this.#learn(frame[at + 2] as TaskReference),
            args: frame[at + 3] as ReadonlyArray<unknown>,
            meta: frame[at + 4] as number | CallMeta
          })
        }
        return this.#next()
      case Kind.Interrupt:
        return this.#interrupt(frame[HEADER] as number)
      case Kind.Stop:
        this.#stopping = true
        return this.#endWhenIdle()
    }
  }

  /** Sends a frame now, after the outcomes that were collected before it. */
  send(kind: number, ...body: ReadonlyArray<unknown>): void {
    this.#flush()
    this.#port.send([kind, this.#executor, this.#generation, ...body], [])
  }

  /** Tells the parent of an error that nobody caught; the worker then ends. */
  fatal(error: unknown): void {
    this.send(Kind.Fatal, encodeError(error, this.#port))
  }

  #greet(frame: Frame): void {
    this.#executor = frame[1] as number
    this.#generation = frame[2] as number
    this.#setup = frame[HEADER] as Setup
    if (this.#setup.version !== WIRE_VERSION) {
      const versions = `${this.#setup.version}, the worker ${WIRE_VERSION}`
      return this.fatal(new Error(`Two versions of @futures/core meet: the parent speaks wire ${versions}`))
    }
    this.send(Kind.Ready)
  }

  #learn(reference: TaskReference): number {
    if (typeof reference === "number") return reference
    const [index, module, name] = reference
    this.#tasks[index] = { module, name, definition: undefined }
    return index
  }

  #next(): void {
    while (this.#waiting.length > 0 && this.#running.size < this.#setup!.concurrency) this.#run(this.#waiting.shift()!)
    this.#endWhenIdle()
  }

  #run(call: WaitingCall): void {
    const context = new CallContext(call.wireId, call.callId, attemptOf(call), this.#setup!.workerId!)
    this.#running.set(call.wireId, context)
    const task = this.#tasks[call.task]!
    if (task.definition !== undefined) return this.#start(context, task.definition, call)
    loadTask(task.module, task.name).then(
      (definition) => {
        task.definition = definition
        this.#start(context, definition, call)
      },
      (error) => this.#answer(context, Status.Refused, encodeError(error, this.#port))
    )
  }

  #start(context: CallContext, definition: TaskDefinition, call: WaitingCall): void {
    // Asked to stop while its module was loading: it never runs.
    if (context.asked) return this.#answer(context, Status.Interrupted, undefined)
    const answer = (status: Status, value: unknown): void => this.#answer(context, status, value)
    if (typeof call.meta === "number" || !call.meta.each) {
      return this.#call(context, definition, call.args, "result", answer)
    }
    this.#callEach(context, definition, call.args[0] as ReadonlyArray<unknown>, answer)
  }

  /** Calls the task with each item, one after another; each item has an outcome of its own. */
  #callEach(context: CallContext, definition: TaskDefinition, items: ReadonlyArray<unknown>, answer: Answer): void {
    const outcomes: Array<unknown> = []
    let next = 0
    // While items answer at once the loop goes on by itself; one that answers later takes it up again.
    let looping = false
    const loop = (): void => {
      looping = true
      while (next < items.length) {
        const before = outcomes.length
        if (context.asked) return answer(Status.Interrupted, undefined)
        this.#call(context, definition, [items[next++]], "result", (status, value) => {
          outcomes.push(status, value)
          if (!looping) loop()
        })
        if (outcomes.length === before) {
          looping = false
          return
        }
      }
      answer(Status.Succeeded, outcomes)
    }
    loop()
  }

  #call(
    context: CallContext,
    definition: TaskDefinition,
    args: ReadonlyArray<unknown>,
    root: string,
    answer: Answer
  ): void {
    const threw = (error: unknown): void => answer(Status.Threw, this.#encode(definition, error))
    const succeeded = (value: unknown): void => {
      let captured: unknown
      try {
        captured = captureValue(value, root, "result", this.#port, this.#transfers)
      } catch (error) {
        return answer(
          error instanceof NotPortableError ? Status.Refused : Status.Threw,
          this.#encode(definition, error)
        )
      }
      answer(Status.Succeeded, captured)
    }
    let value: unknown
    try {
      value = runAs(context, definition.fn!, args)
    } catch (error) {
      return threw(error)
    }
    if (isEffect(value)) {
      runEffect(value, context).then((exit) => {
        if (exit.status === Status.Succeeded) succeeded(exit.value)
        else answer(exit.status, exit.status === Status.Interrupted ? undefined : this.#encode(definition, exit.value))
      }, threw)
    } else if (isThenable(value)) {
      // `await`, so that a thenable that misbehaves is judged as JavaScript judges it.
      ;(async () => await (value as PromiseLike<unknown>))().then(succeeded, threw)
    } else succeeded(value)
  }

  #encode(definition: TaskDefinition, error: unknown): ErrorRecord {
    return encodeError(error, this.#port, definition.settings.errors)
  }

  #answer(context: CallContext, status: Status, value: unknown): void {
    if (!this.#running.delete(context.wireId)) return
    if (this.#outcomes === undefined) {
      this.#outcomes = [Kind.Outcomes, this.#executor, this.#generation]
      queueMicrotask(() => this.#flush())
    }
    this.#outcomes.push(context.wireId, status, value, performance.now() - context.startedAt)
    this.#next()
  }

  #flush(): void {
    if (this.#outcomes === undefined) return
    const frame = this.#outcomes
    const transfers = this.#transfers
    this.#outcomes = undefined
    this.#transfers = []
    this.#port.send(frame, transfers)
  }

  #interrupt(wireId: number): void {
    const running = this.#running.get(wireId)
    if (running !== undefined) return running.abort()
    const index = this.#waiting.findIndex((call) => call.wireId === wireId)
    if (index < 0) return
    const [call] = this.#waiting.splice(index, 1)
    const context = new CallContext(wireId, call!.callId, attemptOf(call!), this.#setup!.workerId!)
    this.#running.set(wireId, context)
    this.#answer(context, Status.Interrupted, undefined)
  }

  #endWhenIdle(): void {
    if (!this.#stopping || this.#running.size > 0 || this.#waiting.length > 0) return
    this.#flush()
    this.#port.end()
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
