/** Calls a task once and says how it ended, whatever it returns: a value, a promise, an Effect. */
import { AsyncLocalStorage } from "node:async_hooks"
import { NotPortableError } from "../ExecutorError.ts"
import { encodeError } from "../wire/error.ts"
import { Status } from "../wire/frames.ts"
import type { CaptureMode } from "../wire/value.ts"
import { captureValue } from "../wire/value.ts"
import type { CallContext } from "./CallContext.ts"
import { codecOf } from "./codec.ts"
import { runAs } from "./context.ts"
import { isEffect, runEffect } from "./effects.ts"
import type { EffectOutcome } from "./effects.ts"
import type { TaskDefinition, TaskFunction } from "./registry.ts"

/** How a call ended: its status, and the captured value or an `ErrorRecord`. Called once. */
export type Answer = (status: Status, value: unknown) => void

/** What a call needs of its worker. */
export interface Surroundings {
  readonly mode: CaptureMode
  /** Buffers that go with the outcomes. */
  readonly transfers: () => Array<ArrayBuffer>
  /** The task that restores a call's context, if the executor has one. */
  readonly restore: TaskFunction | undefined
  /** Whether the caller computes on this thread too. */
  readonly sharesThread: boolean
}

/** A call, ready to be made. */
export interface Invocation {
  readonly context: CallContext
  readonly definition: TaskDefinition
  readonly args: ReadonlyArray<unknown>
  /** What the caller's `context.capture()` answered. */
  readonly carried: unknown
}

/** Runs something in the context in which the call was made. */
export type Inside = <A>(run: () => A) => A

/** What the task's function returned, and the way back into its context: that of the call, unless something was restored around it. */
export interface Entered {
  readonly value: unknown
  readonly inside: Inside | undefined
}

/**
 * Calls the task's function in its own context, with the caller's restored around it. `inside` leads back there: what an Effect or a generator does, it
 * does after the function has returned.
 */
export const enter = (
  { args, carried, context, definition }: Invocation,
  { restore }: Surroundings
): Entered => {
  if (restore === undefined) return { value: runAs(context, definition.fn!, args), inside: undefined }
  let inside: Inside | undefined
  const value = runAs(context, () =>
    restore(carried, () => {
      inside = AsyncLocalStorage.snapshot()
      return definition.fn!(...args)
    }), [])
  return { value, inside }
}

/** The way back for who was given none. */
export const insideOf = ({ inside }: Entered, context: CallContext): Inside =>
  inside ?? ((run) => runAs(context, run, []))

export const invoke = (call: Invocation, around: Surroundings, answer: Answer): void => {
  const codec = codecOf(call.definition)
  let entered: Entered
  try {
    entered = enter(codec === undefined ? call : { ...call, args: codec.decodeArgs(call.args) }, around)
  } catch (error) {
    return threw(error, call, around, answer)
  }
  conclude(entered, call, around, answer)
}

/** Says how a call ended whose function has returned. */
export const conclude = (entered: Entered, call: Invocation, around: Surroundings, answer: Answer): void => {
  const { value } = entered
  if (isEffect(value)) {
    const { context, definition: { settings } } = call
    const ran = insideOf(entered, context)(() => runEffect(value, context, settings))
    void awaited(ran, call, around, answer, concludeEffect)
  } else if (isThenable(value)) {
    // `await`, so that a thenable that misbehaves is judged as JavaScript judges it.
    // It asks for no `then` of a promise either: a task may have put its own on the prototype.
    void awaited(value, call, around, answer, succeeded)
  } else succeeded(value, call, around, answer)
}

/** One way in which a call ends. Functions of their own, because most calls take only one of them. */
type Ending<A> = (outcome: A, call: Invocation, around: Surroundings, answer: Answer) => void

const succeeded: Ending<unknown> = (result, { context, definition }, around, answer) => {
  const codec = codecOf(definition)
  let captured: unknown
  try {
    captured = captureValue(
      codec === undefined ? result : codec.encodeSuccess(result),
      "result",
      "result",
      around.mode,
      around.transfers(),
      context.moving?.get(result as object)
    )
  } catch (error) {
    return answer(
      error instanceof NotPortableError ? Status.Refused : Status.Threw,
      encodeError(error, around.mode, definition.settings.errors)
    )
  }
  answer(Status.Succeeded, captured)
}

const threw: Ending<unknown> = (error, { definition }, around, answer) =>
  answer(Status.Threw, encodeError(error, around.mode, definition.settings.errors))

const failed: Ending<EffectOutcome> = ({ status, value }, { definition }, around, answer) => {
  const codec = codecOf(definition)
  answer(
    status,
    encodeError(codec === undefined ? value : codec.encodeError(value), around.mode, definition.settings.errors)
  )
}

const concludeEffect: Ending<EffectOutcome> = (outcome, call, around, answer) => {
  if (outcome.status === Status.Succeeded) succeeded(outcome.value, call, around, answer)
  else if (outcome.status === Status.Interrupted) answer(Status.Interrupted, undefined)
  else if (outcome.status === Status.Threw) threw(outcome.value, call, around, answer)
  else failed(outcome, call, around, answer)
}

/** What the ending throws is the call's own error as well: one that its schema cannot encode. */
const awaited = async <A>(
  promise: PromiseLike<A>,
  call: Invocation,
  around: Surroundings,
  answer: Answer,
  ending: Ending<A>
): Promise<void> => {
  try {
    ending(await promise, call, around, answer)
  } catch (error) {
    threw(error, call, around, answer)
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
