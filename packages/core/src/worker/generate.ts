/**
 * Runs a generator task: pulls an item, sends it, and waits for leave when the window is used up.
 *
 * ```
 * pulling ──▶ waiting for leave ──▶ pulling ──▶ answered
 * any ──▶ stopped                                the caller left: `return()` runs the generator's `finally`, then it is answered
 * ```
 */
import { InvalidStateError } from "../ExecutorError.ts"
import { performance } from "../timers.ts"
import { encodeError } from "../wire/error.ts"
import { Status } from "../wire/frames.ts"
import { captureValue } from "../wire/value.ts"
import { isStream, streamIterator } from "./effects.ts"
import { enter, insideOf } from "./invoke.ts"
import type { Answer, Invocation, Surroundings } from "./invoke.ts"

/** Items that come without a pause are sent together, but none waits longer than this many milliseconds. */
const LONGEST_HOLD = 1

export const generate = async (
  call: Invocation,
  window: number,
  around: Surroundings,
  send: (items: Array<unknown>) => void,
  answer: Answer
): Promise<void> => {
  const { context, definition } = call
  let credit = window
  let wake: (() => void) | undefined
  context.credit = (items) => {
    credit += items
    wake?.()
  }
  context.signal.addEventListener("abort", () => wake?.())
  let items: Array<unknown> = []
  let since = performance.now()
  const flush = (): void => {
    const ready = items
    items = []
    since = performance.now()
    if (ready.length > 0) send(ready)
  }
  try {
    // A generator's body runs in its steps: each is taken in the context in which the call was made.
    const entered = enter(call, around)
    const inside = insideOf(entered, context)
    const iterator = await inside(() => iteratorOf(entered.value, call))
    while (!context.asked) {
      if (credit === 0) {
        flush()
        await new Promise<void>((resolve) => wake = resolve)
        continue
      }
      const step = inside(() => iterator.next())
      const result = isPromise(step) ? await (flush(), step) : step
      if (context.asked) break
      if (result.done === true) {
        flush()
        return answer(Status.Succeeded, undefined)
      }
      const moving = context.moving?.get(result.value as object)
      items.push(captureValue(result.value, "item", "result", around.mode, around.transfers(), moving))
      credit--
      if (performance.now() - since > LONGEST_HOLD) flush()
    }
    await inside(() => iterator.return?.())
    answer(Status.Interrupted, undefined)
  } catch (error) {
    flush()
    if (context.asked) answer(Status.Interrupted, undefined)
    else {answer(
        isTyped(error) ? Status.Failed : Status.Threw,
        encodeError(isTyped(error) ? error.typed : error, around.mode, definition.settings.errors)
      )}
  }
}

/** A typed failure of a `Stream`, told apart from what a generator throws. */
export class TypedFailure {
  readonly typed: unknown
  constructor(typed: unknown) {
    this.typed = typed
  }
}

const isTyped = (error: unknown): error is TypedFailure => error instanceof TypedFailure

const isPromise = <A>(value: A | Promise<A>): value is Promise<A> => value instanceof Promise

type Items = Iterator<unknown> | AsyncIterator<unknown>

const iteratorOf = async (returned: unknown, call: Invocation): Promise<Items> => {
  if (isStream(returned)) return streamIterator(returned, call.context, call.definition.settings)
  const iterable = returned as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null | undefined
  const asynchronous = iterable?.[Symbol.asyncIterator]
  if (typeof asynchronous === "function") return asynchronous.call(iterable)
  const synchronous = typeof returned === "object" ? iterable?.[Symbol.iterator] : undefined
  if (typeof synchronous === "function") return synchronous.call(iterable)
  throw new InvalidStateError(
    `The task "${call.definition.name}" is no generator: stream() takes generators, submit() takes this one`
  )
}
