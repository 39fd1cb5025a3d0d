/** Calls a task with each item of a chunk, one after another; each item has an outcome of its own. */
import { encodeError } from "../wire/error.ts"
import { Status } from "../wire/frames.ts"
import { ItemCollector } from "../wire/items.ts"
import type { ItemOutcomes } from "../wire/items.ts"
import { codecOf } from "./codec.ts"
import { runAs } from "./context.ts"
import { conclude, invoke } from "./invoke.ts"
import type { Answer, Inside, Invocation, Surroundings } from "./invoke.ts"

/** Outcomes are told at the latest after so many milliseconds. */
const LONGEST_HOLD = 1

/** So many milliseconds of work are marked ahead: should the worker be killed, these items count as started, and those behind run elsewhere. */
const MARKED_AHEAD = 0.05

/** What happens besides the outcome of the whole. */
export interface ChunkEvents {
  /** Outcomes before the last: those that would otherwise wait for slow ones, and, when the worker ends under an item, those of the items before it. */
  readonly tell: (outcomes: ItemOutcomes) => void
  /** From now on so many items may have run. */
  readonly mark: (items: number) => void
}

/** All items run in one context, since they are one call: opening one for each would cost more than a small item does. */
export const invokeEach = (
  call: Invocation,
  spread: boolean,
  around: Surroundings,
  { mark, tell }: ChunkEvents,
  answer: Answer
): void => {
  const { context, definition } = call
  const firstItem = context.meta?.item ?? 0
  const { fn } = definition
  const items = call.args[0] as ArrayLike<unknown>
  // Who restores something around each item, or translates it, calls it as a call of its own.
  const isPlain = around.restore === undefined && codecOf(definition) === undefined
  const collected = new ItemCollector()
  let next = 0
  let toldAt = performance.now()
  /** Items that are marked together, and up to where they are. */
  let group = 1
  let marked = 0
  let markedAt = toldAt
  // While items answer at once the loop goes on by itself; one that answers later takes it up again.
  let isLooping = false
  let hasAnswered = false

  context.tellAll = () => {
    if (!collected.isEmpty) tell(collected.take())
    toldAt = performance.now()
  }
  const taken: Answer = (status, value) => {
    hasAnswered = true
    collected.add(status, value)
    if (!isLooping) runAs(context, loop, [])
  }
  const start = (item: unknown): void => {
    const args = spread ? item as ReadonlyArray<unknown> : [item]
    if (!isPlain) return invoke({ ...call, args }, around, taken)
    let value: unknown
    try {
      value = spread ? fn!(...args) : fn!(item)
    } catch (error) {
      return taken(Status.Threw, encodeError(error, around.mode, definition.settings.errors))
    }
    const type = typeof value
    if (type === "number" || type === "string" || type === "boolean" || value === undefined || value === null) {
      taken(Status.Succeeded, value)
    } else conclude({ value, inside: here }, call, around, taken)
  }
  /** Marks the next items; as many as are expected to take `MARKED_AHEAD`. */
  const look = (now: number): void => {
    const took = Math.max(now - markedAt, 1e-3)
    if (next > 0) group = Math.max(1, Math.min(group * 2, Math.floor(group * MARKED_AHEAD / took)))
    markedAt = now
    marked = Math.min(next + group, items.length)
    mark(marked)
    if (now - toldAt > LONGEST_HOLD) context.tellAll?.()
  }
  const loop = (): void => {
    isLooping = true
    while (next < items.length) {
      if (context.asked) return answer(Status.Interrupted, undefined)
      const now = performance.now()
      // Also when they take longer than was expected: then fewer are marked.
      if (next === marked || now - markedAt > 2 * MARKED_AHEAD) look(now)
      hasAnswered = false
      context.item = firstItem + next
      start(items[next++])
      if (!hasAnswered) {
        isLooping = false
        return
      }
    }
    context.tellAll = undefined
    answer(Status.Succeeded, collected.take())
  }
  runAs(context, loop, [])
}

const here: Inside = (run) => run()
