/** Calls a task with each item of a chunk, one after another; each item has an outcome of its own. */
import { TaskTimeoutError } from "../ExecutorError.ts"
import { clearTimeout, performance, setImmediate, setTimeout } from "../timers.ts"
import { encodeError } from "../wire/error.ts"
import type { ErrorRecord } from "../wire/error.ts"
import { Status } from "../wire/frames.ts"
import type { ChunkLimits } from "../wire/frames.ts"
import { ItemCollector } from "../wire/items.ts"
import type { ItemOutcomes } from "../wire/items.ts"
import { monotonic } from "../wire/monotonic.ts"
import { cannotBeSent, MAX_FRAME_BYTES, OversizedFrameError } from "../wire/oversize.ts"
import { sizeOf } from "../wire/size.ts"
import { codecOf } from "./codec.ts"
import { runAs } from "./context.ts"
import { conclude, invoke } from "./invoke.ts"
import type { Answer, Inside, Invocation, Surroundings } from "./invoke.ts"
import { RunClock } from "./RunClock.ts"

/** Outcomes are told at the latest after so many milliseconds. */
const LONGEST_HOLD = 1

/** So many milliseconds of work are marked ahead: should the worker be killed, these items count as started, and those behind run elsewhere. */
const MARKED_AHEAD = 0.05

/** So many milliseconds the items of a chunk of a fixed size may follow each other within one turn of the event loop. */
const LONGEST_TURN_MS = 16

/** The limits of a chunk that has none. */
export const unlimited: ChunkLimits = { ms: Infinity, bytes: Infinity, itemMs: Infinity }

/** What happens besides the outcome of the whole. */
export interface ChunkEvents {
  /**
   * Outcomes before the last: those that would otherwise wait for slow ones, and, when the worker ends under an item, those of the items before it. `size`:
   * the chunk answers for its first items alone; the others have not begun and are returned.
   */
  readonly tell: (outcomes: ItemOutcomes, size?: number) => void
  /** From now on so many items may have run. */
  readonly mark: (items: number) => void
}

/**
 * All items run in one context, since they are one call: opening one for each would cost more than a small item does.
 *
 * A chunk that has run for too long, or has too many bytes of results, succeeds with the outcomes that it has: the parent submits the other items again. A
 * chunk of a fixed size lets the event loop turn instead, so that the worker hears when it is asked to stop.
 */
export const invokeEach = (
  call: Invocation,
  spread: boolean,
  limits: ChunkLimits,
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
  /** Items that it answers for. */
  let size = items.length
  const startedAt = performance.now()
  const { bytes: mostBytes, itemMs, ms } = limits
  const isTimed = itemMs !== Infinity
  let bytes = 0
  let toldAt = startedAt
  let turnAt = startedAt
  /** When the item that runs began, and whether it was asked to stop since it took too long. */
  let itemAt = startedAt
  let isLate = false
  /** Measures an item that is awaited, and the run time that it has left (ms). */
  let clock: RunClock | undefined
  let leftMs = itemMs
  /** Returns the other items while one is awaited for too long. */
  let patience: ReturnType<typeof setTimeout> | undefined
  /** Items that are marked together, and up to where they are. */
  let group = 1
  let marked = 0
  let markedAt = toldAt
  // While items answer at once the loop goes on by itself; one that answers later takes it up again.
  let isLooping = false
  let hasAnswered = false
  let hasEnded = false

  context.tellAll = () => {
    if (!collected.isEmpty) tell(collected.take())
    toldAt = performance.now()
  }
  const taken: Answer = (status, value) => {
    hasAnswered = true
    if (isTimed) {
      const isOver = clock === undefined ? performance.now() - itemAt > itemMs : clock.end(monotonic()) > leftMs
      clock = undefined
      if (isLate || isOver) return late()
    } else if (context.asked && status !== Status.Succeeded) return stopped()
    const type = typeof value
    const valueBytes = type === "object" || type === "string" ? sizeOf(value) : 0
    // No frame can hold it: it fails alone, and not with its chunk.
    if (valueBytes > MAX_FRAME_BYTES && !around.mode.sharesMemory) {
      collected.add(Status.Refused, tooLong(valueBytes, around))
    } else {
      bytes += valueBytes
      collected.add(status, value)
    }
    if (!isLooping) runAs(context, loop, [])
  }
  /** The item took too long, whatever it answered; what was asked to stop because of it begins no other. */
  const late = (): void => {
    const timeout = new TaskTimeoutError({ clock: "run", after: itemMs, task: context.label })
    collected.add(Status.Refused, encodeError(timeout, around.mode))
    if (!isLooping) runAs(context, loop, [])
  }
  /** It was asked to stop: what is done is told. */
  const stopped = (): void => {
    hasEnded = true
    clearTimeout(patience)
    context.tellAll?.()
    context.tellAll = undefined
    answer(Status.Interrupted, undefined)
  }
  const returnRest = (): void => {
    if (hasEnded || next >= size || context.asked) return
    size = next
    tell(collected.take(), size)
    toldAt = performance.now()
  }
  /** The other items, if there are any, are returned. */
  const end = (): void => {
    hasEnded = true
    clearTimeout(patience)
    // Whoever asked it to stop reads no value.
    if (context.asked) context.tellAll?.()
    context.tellAll = undefined
    answer(Status.Succeeded, collected.take())
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
    if (isTimed) {
      // If it has to be ended by force, this item alone is lost.
      context.tellAll?.()
      return mark(marked = next + 1)
    }
    const took = Math.max(now - markedAt, 1e-3)
    if (next > 0) group = Math.max(1, Math.min(group * 2, Math.floor(group * MARKED_AHEAD / took)))
    markedAt = now
    marked = Math.min(next + group, size)
    mark(marked)
    if (now - toldAt > LONGEST_HOLD) context.tellAll?.()
  }
  const loop = (): void => {
    isLooping = true
    while (next < size) {
      if (isLate) return end()
      if (context.asked) return stopped()
      const now = performance.now()
      if (next > 0 && (now - startedAt > ms || bytes > mostBytes)) return end()
      if (ms === Infinity && now - turnAt > LONGEST_TURN_MS) {
        isLooping = false
        return void setImmediate(() => {
          turnAt = performance.now()
          runAs(context, loop, [])
        })
      }
      // Also when they take longer than was expected: then fewer are marked.
      if (next === marked || now - markedAt > 2 * MARKED_AHEAD) look(now)
      hasAnswered = false
      context.item = firstItem + next
      if (isTimed) itemAt = performance.now()
      start(items[next++])
      if (hasEnded) return
      if (!hasAnswered) {
        isLooping = false
        if (isTimed) {
          leftMs = itemMs - (performance.now() - itemAt)
          clock = new RunClock(leftMs, around.sharesThread, overdue)
          clock.returned = true
        }
        if (ms !== Infinity && next < size) patience ??= setTimeout(returnRest, Math.max(1, ms - (now - startedAt)))
        return
      }
    }
    end()
  }
  const overdue = (): void => {
    isLate = true
    context.expire(itemMs)
  }
  if (isTimed) {
    context.lookAtItem = () => {
      if (clock !== undefined) clock.look()
      else if (!isLate && performance.now() - itemAt > itemMs) overdue()
    }
  }
  // The parent is told when the first item begins: its module may have taken a while to load.
  if (isTimed) tell([])
  runAs(context, loop, [])
}

const tooLong = (bytes: number, { mode }: Surroundings): ErrorRecord =>
  encodeError(cannotBeSent(new OversizedFrameError(bytes, MAX_FRAME_BYTES), "result", "result"), mode)

const here: Inside = (run) => run()
