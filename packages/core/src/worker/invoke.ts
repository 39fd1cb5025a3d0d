/** Calls a task once and says how it ended, whatever it returns: a value, a promise, an Effect. */
import { NotPortableError } from "../ExecutorError.ts"
import { encodeError } from "../wire/error.ts"
import { Status } from "../wire/frames.ts"
import type { CaptureMode } from "../wire/value.ts"
import { captureValue } from "../wire/value.ts"
import type { CallContext } from "./CallContext.ts"
import { runAs } from "./context.ts"
import { isEffect, runEffect } from "./effects.ts"
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

/** Calls the task's function in its own context, with the caller's restored around it. */
export const enter = ({ args, carried, context, definition }: Invocation, { restore }: Surroundings): unknown =>
  restore === undefined
    ? runAs(context, definition.fn!, args)
    : runAs(context, () => restore(carried, () => definition.fn!(...args)), [])

export const invoke = (call: Invocation, around: Surroundings, answer: Answer): void => {
  const { context, definition } = call
  const { errors } = definition.settings
  const threw = (error: unknown): void => answer(Status.Threw, encodeError(error, around.mode, errors))
  const succeeded = (value: unknown): void => {
    let captured: unknown
    try {
      captured = captureValue(value, "result", "result", around.mode, around.transfers())
    } catch (error) {
      return answer(
        error instanceof NotPortableError ? Status.Refused : Status.Threw,
        encodeError(error, around.mode, errors)
      )
    }
    answer(Status.Succeeded, captured)
  }
  let value: unknown
  try {
    value = enter(call, around)
  } catch (error) {
    return threw(error)
  }
  if (isEffect(value)) {
    runEffect(value, context, definition.settings).then((exit) => {
      if (exit.status === Status.Succeeded) succeeded(exit.value)
      else {answer(
          exit.status,
          exit.status === Status.Interrupted ? undefined : encodeError(exit.value, around.mode, errors)
        )}
    }, threw)
  } else if (isThenable(value)) {
    // `await`, so that a thenable that misbehaves is judged as JavaScript judges it.
    ;(async () => await (value as PromiseLike<unknown>))().then(succeeded, threw)
  } else succeeded(value)
}

/** Calls the task with each item, one after another; each item has an outcome of its own. */
export const invokeEach = (call: Invocation, spread: boolean, around: Surroundings, answer: Answer): void => {
  const items = call.args[0] as ReadonlyArray<unknown>
  const outcomes: Array<unknown> = []
  let next = 0
  // While items answer at once the loop goes on by itself; one that answers later takes it up again.
  let looping = false
  const loop = (): void => {
    looping = true
    while (next < items.length) {
      const before = outcomes.length
      if (call.context.asked) return answer(Status.Interrupted, undefined)
      const item = items[next++]
      invoke({ ...call, args: spread ? item as ReadonlyArray<unknown> : [item] }, around, (status, value) => {
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

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
