/** Calls a task once and says how it ended, whatever it returns: a value, a promise, an Effect. */
import { AsyncLocalStorage } from "node:async_hooks"
import { NotPortableError } from "../ExecutorError.ts"
import { encodeError } from "../wire/error.ts"
import type { ErrorRecord } from "../wire/error.ts"
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

/** What the task's function returned, and the way back into its context. */
export interface Entered {
  readonly value: unknown
  readonly inside: Inside
}

/**
 * Calls the task's function in its own context, with the caller's restored around it. `inside` leads back there: what an Effect or a generator does, it
 * does after the function has returned.
 */
export const enter = (
  { args, carried, context, definition }: Invocation,
  { restore }: Surroundings
): Entered => {
  if (restore === undefined) {
    return { value: runAs(context, definition.fn!, args), inside: (run) => runAs(context, run, []) }
  }
  let inside: Inside = (run) => runAs(context, run, [])
  const value = runAs(context, () =>
    restore(carried, () => {
      inside = AsyncLocalStorage.snapshot()
      return definition.fn!(...args)
    }), [])
  return { value, inside }
}

export const invoke = (call: Invocation, around: Surroundings, answer: Answer): void => {
  const codec = codecOf(call.definition)
  let entered: Entered
  try {
    entered = enter(codec === undefined ? call : { ...call, args: codec.decodeArgs(call.args) }, around)
  } catch (error) {
    return answer(Status.Threw, encodeError(error, around.mode, call.definition.settings.errors))
  }
  conclude(entered, call, around, answer)
}

/** Says how a call ended whose function has returned. */
export const conclude = (
  { inside, value }: Entered,
  { context, definition }: Invocation,
  around: Surroundings,
  answer: Answer
): void => {
  const { errors } = definition.settings
  const codec = codecOf(definition)
  const threw = (error: unknown): void => answer(Status.Threw, encodeError(error, around.mode, errors))
  const succeeded = (result: unknown): void => {
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
        encodeError(error, around.mode, errors)
      )
    }
    answer(Status.Succeeded, captured)
  }
  const failed = (error: unknown): ErrorRecord =>
    encodeError(codec === undefined ? error : codec.encodeError(error), around.mode, errors)
  if (isEffect(value)) {
    const ended = (exit: EffectOutcome): void => {
      if (exit.status === Status.Succeeded) succeeded(exit.value)
      else if (exit.status === Status.Interrupted) answer(Status.Interrupted, undefined)
      else if (exit.status === Status.Threw) threw(exit.value)
      else answer(exit.status, failed(exit.value))
    }
    void awaited(inside(() => runEffect(value, context, definition.settings)), ended, threw)
  } else if (isThenable(value)) {
    // `await`, so that a thenable that misbehaves is judged as JavaScript judges it.
    // It asks for no `then` of a promise either: a task may have put its own on the prototype.
    void awaited(value as PromiseLike<unknown>, succeeded, threw)
  } else succeeded(value)
}

/** `threw` hears what `succeeded` throws as well: an error that its schema cannot encode. */
const awaited = async <A>(
  promise: PromiseLike<A>,
  succeeded: (value: A) => void,
  threw: (error: unknown) => void
): Promise<void> => {
  try {
    succeeded(await promise)
  } catch (error) {
    threw(error)
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
