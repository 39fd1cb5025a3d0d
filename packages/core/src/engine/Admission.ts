/** Accepting: from a task and its arguments to a call in the queue, or to a future that has already failed. */
import { AsyncLocalStorage } from "node:async_hooks"
import { callOptions, noOptions } from "../callOptions.ts"
import {
  BrokenExecutorError,
  describe,
  ExecutorShutdownError,
  InvalidOptionError,
  InvalidStateError,
  NotPortableError,
  QueueFullError
} from "../ExecutorError.ts"
import { infoOf } from "../Task.ts"
import type { TaskInfo } from "../Task.ts"
import { performance } from "../timers.ts"
import { captureArgs } from "../wire/value.ts"
import { codecOf } from "../worker/codec.ts"
import type { TaskCodec } from "../worker/codec.ts"
import { refuseEndless } from "../worker/load.ts"
import type { TaskDefinition } from "../worker/registry.ts"
import { State } from "./Call.ts"
import type { CallTerms } from "./Call.ts"
import type { CallForm } from "./CallForm.ts"
import { plain } from "./CallForm.ts"
import type { Engine } from "./Engine.ts"
import { tellSettle, tellSubmit } from "./events.ts"
import { abortedBy, ours } from "./Failure.ts"
import type { Failure } from "./Failure.ts"
import { FutureCell } from "./FutureCell.ts"
import { limitCall } from "./limits.ts"
import { Pace } from "./Pace.ts"

export class Admission {
  readonly #engine: Engine
  /** Calls so far, refused ones included: each has its number. */
  #calls = 0
  /** How quick each task has been. */
  readonly #paces = new WeakMap<TaskDefinition, Pace>()
  #lastTerms: CallTerms | undefined

  constructor(engine: Engine) {
    this.#engine = engine
  }

  submit(task: unknown, args: Array<unknown>, form: CallForm): FutureCell {
    const info = infoOf(task)
    if (info === undefined) return this.#refuse(anonymous, ours(() => notATask(task)))
    return this.accept(info, args, form)
  }

  accept(info: TaskInfo, args: Array<unknown>, form: CallForm): FutureCell {
    const engine = this.#engine
    const { backend, state } = engine
    // A call that runs may still hand in others while everything else is over.
    const isOurs = form.depth !== undefined || form.again === true
    const takes = state === "open" || (state === "draining" && isOurs)
    if (!takes) return this.#refuse(info, whyClosed(engine))
    if (form.depth === undefined) {
      const endless = engine.hold.isHeld ? engine.hold.use() : refuseEndless(info.definition.module)
      if (endless !== undefined) return this.#refuse(info, ours(() => endless), State.Failed, true)
    }
    const { context, maxPending, stacks, whenFull } = engine.options
    if (whenFull === "reject" && form.again !== true && engine.room.isFull) {
      return this.#refuse(info, ours(() => new QueueFullError({ maxPending })))
    }
    let terms: CallTerms
    let transfers: Array<ArrayBuffer> | undefined
    let carried: Array<unknown> | undefined
    try {
      terms = this.#termsOf(info, form)
      // Before anything is captured: the buffers that it would move stay with the caller.
      if (terms.options.signal?.aborted === true) {
        return this.#refuse(info, abortedBy(terms.options.signal), State.Cancelled)
      }
      const codec = codecOf(info.definition)
      if (codec !== undefined && form.again !== true) encodeInPlace(codec, args, form)
      transfers = captureArgs(args, backend, terms.options.transfer)
      if (context !== undefined && form.depth === undefined) captureArgs(carried = [context.capture()], backend)
    } catch (error) {
      return this.#refuse(
        info,
        error instanceof NotPortableError ? ours(() => error) : { kind: "threw", build: () => error }
      )
    }
    const { options } = terms
    // What was moved once cannot be moved again: a call that may be tried anew is copied each time.
    if (options.retry !== undefined || form.each !== undefined) transfers = undefined
    if (carried !== undefined) terms = { ...terms, form: { ...form, context: carried[0] } }
    if (stacks === "submit") {
      const site = {}
      Error.captureStackTrace(site, engine.submit)
      terms = { ...terms, form: { ...terms.form, site } }
    }
    const cell = new FutureCell(terms, this.#number(), args.length === 0 ? none : args, transfers, performance.now())
    engine.admit(cell)
    form.accepted?.(cell)
    if (options !== noOptions) limitCall(cell, engine, backend)
    return cell
  }

  #number(): number {
    return this.#engine.backend.nextCall?.() ?? ++this.#calls
  }

  /** Throws for an option that is none. */
  #termsOf(task: TaskInfo, form: CallForm): CallTerms {
    // Most calls are of the task that was called last.
    if (this.#lastTerms?.task === task && form === plain) return this.#lastTerms
    const { definition } = task
    if (definition.settings.fromSource === true) this.#checkSource(definition.name)
    let pace = this.#paces.get(definition)
    if (pace === undefined) this.#paces.set(definition, pace = new Pace())
    const options = callOptions(task)
    const { queueTimeoutExpected: expected } = this.#engine.backend
    if (expected !== undefined && options.queueTimeout !== Infinity) {
      throw new InvalidOptionError({ option: "queueTimeout", received: task.options?.queueTimeout, expected })
    }
    const inside = options.retry === undefined ? undefined : AsyncLocalStorage.snapshot()
    const terms = { owner: this.#engine, task, options, form, pace, inside }
    // Options and forms may hold what is large: it goes with its calls.
    if (form === plain && task.options === undefined) this.#lastTerms = terms
    return terms
  }

  /** Throws where tasks that are defined by their source do not run. */
  #checkSource(name: string): void {
    const { backend, options, waiting } = this.#engine
    const isNested = waiting !== undefined
    if (options.interactive && !isNested && backend.remote !== true) return
    const why = isNested
      ? "and other tasks cannot submit it. Declare it in a module with Task.module"
      : backend.remote === true
      ? "and a call that outlives this program needs a task that Task.module declares"
      : `and executor "${options.name}" does not run those. Create it with { interactive: true }, or declare the task in a module with Task.module`
    throw new InvalidStateError(`Task "${name}" is defined by its source (Task.define), ${why}`)
  }

  /** `reported`: the failure is reported elsewhere, and needs no warning when it is never handled. */
  #refuse(task: TaskInfo, failure: Failure, state: 3 | 4 = State.Failed, reported = false): FutureCell {
    const now = performance.now()
    const terms = { owner: this.#engine, task, options: noOptions, form: plain, pace: undefined, inside: undefined }
    const cell = new FutureCell(terms, this.#number(), [], undefined, now)
    cell.settle(state, failure, now)
    if (reported) cell.watched = true
    this.#engine.count(cell)
    tellSubmit(this.#engine, cell)
    tellSettle(this.#engine, cell)
    return cell
  }
}

/** Why an executor takes no more calls. */
export const whyClosed = ({ cause, state }: Engine): Failure =>
  state === "broken"
    ? ours(() => new BrokenExecutorError({ cause }))
    : ours(() => new ExecutorShutdownError())

/** Translates arguments by the task's schemas; throws the schema's error. */
const encodeInPlace = (codec: TaskCodec, args: Array<unknown>, { each }: CallForm): void => {
  if (each === undefined) args.splice(0, args.length, ...codec.encodeArgs(args))
  else if (each === "spread") args[0] = (args[0] as Array<unknown>).map((tuple) => codec.encodeArgs(tuple))
  else args[0] = (args[0] as Array<unknown>).map((item) => codec.encodeArgs([item])[0])
}

/** What calls without arguments share. */
const none: ReadonlyArray<unknown> = []

const anonymous: TaskInfo = {
  definition: { module: "", name: "(not a task)", fn: undefined, settings: { errors: [] } },
  options: undefined
}

const notATask = (task: unknown): NotPortableError =>
  new NotPortableError({
    path: "task",
    value: describe(task),
    side: "task",
    hint:
      "Declare it with Task.module(import.meta, { name: fn }) in a module of its own, and hand in the task that this returns"
  })
