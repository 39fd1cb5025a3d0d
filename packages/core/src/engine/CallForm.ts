/** What a call may have besides its task and arguments. */
import type { CallTrace, ChunkLimits } from "../wire/frames.ts"
import type { ItemOutcomes } from "../wire/items.ts"
import type { Failure } from "./Failure.ts"
import type { FutureCell } from "./FutureCell.ts"

/** Follows calls for a tracer. */
export interface CallSpans {
  /** The call was accepted, or refused. */
  readonly submitted: (cell: FutureCell) => void
  /** A worker takes it: what goes along. */
  readonly handedOver: (cell: FutureCell) => CallTrace
  /** The worker has started it. */
  readonly started: (cell: FutureCell) => void
  /** It waits again: an attempt has failed, or, without a failure, has never begun. */
  readonly cameBack: (cell: FutureCell, failure: Failure | undefined) => void
}

/** What a call has of the Effect that hands it in. */
export interface Caller {
  /** The caller's span and log annotations. */
  readonly trace?: CallTrace | undefined
  /** Makes spans of its calls, where they go anywhere. */
  readonly spans?: CallSpans | undefined
}

export interface CallForm extends Caller {
  /** `args` holds one array of items, each a call of its own: with the item as its argument, or as its tuple of arguments. */
  readonly each?: "item" | "spread" | undefined
  /** When a chunk of items returns those that it has not started, and how long an item may run. */
  readonly limits?: ChunkLimits | undefined
  /** Its arguments were accepted before, captured and translated: it is taken also while the executor drains. */
  readonly again?: boolean | undefined
  /** Expected run time of a chunk (ms), where items of it have been measured. */
  readonly expectedMs?: number | undefined
  /** Whether the task that makes these calls was asked to stop after it began to make them. */
  readonly ended?: (() => boolean) | undefined
  /** It never goes with others into the hands of a worker of this machine: an item of a map, whose rest must not run once one has failed. */
  readonly alone?: boolean | undefined
  /** How often the machine under it has died already. */
  readonly losses?: number | undefined
  /** Deliveries before this call was accepted, which do not make it poison: of the chunk that its item was in, or by a broker. */
  readonly earlier?: number | undefined
  /** Its key, where that is not made from its id: a call of a task, and items that are delivered again. */
  readonly key?: string | undefined
  /** Index of the first item of a chunk, behind the key. */
  readonly item?: number | undefined
  /** Where the items of a generator task go, or outcomes of some items of a chunk before the others. `size`: the chunk returns its other items. */
  readonly sink?: ((items: ReadonlyArray<unknown> | ItemOutcomes, size?: number) => void) | undefined
  /** Hears what the task reports of its progress. */
  readonly progress?: ((value: unknown) => void) | undefined
  /** Takes what the task writes, instead of this process's stdout (1) and stderr (2). */
  readonly output?: ((stream: 1 | 2, chunk: Uint8Array | string) => void) | undefined
  /** How deep it is nested: calls that a call of ours submitted are one deeper. */
  /** The running call that has submitted this one, in the engine that both run on. */
  readonly submitter?: FutureCell | undefined
  readonly depth?: number | undefined
  /** What the caller's context was when it was handed in, or that of the call that hands this one in; travels with it. */
  readonly context?: unknown
  /** The line that submitted it, when `stacks` is `"submit"`. */
  readonly site?: { readonly stack?: string } | undefined
  /** In a worker: the wire id of the running call that hands this one in. */
  readonly parent?: number | undefined
  /** Hears of the call once it is accepted. */
  readonly accepted?: ((cell: FutureCell) => void) | undefined
}

/** What a call has that has nothing. */
export const plain: CallForm = {}
