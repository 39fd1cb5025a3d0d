/**
 * Which engine a client that waits asks for a slot of another executor, so that all executors hold about as many.
 *
 * The client decides, since it knows from all heartbeats who holds what: engines by themselves would all give a slot back for one that waits.
 */
import { timers } from "@futures/core/Backend"
import type { Registry } from "../registry.ts"
import type { WantMessage } from "../wire/messages.ts"

const { performance } = timers

/** For one executor an engine is asked this often at most, in milliseconds; longer than heartbeats are apart, so that the answer was seen. */
const ASK_EVERY_MS = 500
/** An engine that was asked is asked again after this many milliseconds: a slot is given back when its call is done. */
const ASK_AGAIN_MS = 2_000

/** What the choice needs to know of an engine. */
export interface EngineShares {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
  readonly slots: number
  readonly running: number
  /** By executor. */
  readonly held: Readonly<Record<string, { readonly count: number; readonly forMs: number }>>
}

/** Who waits. */
export interface Waiter {
  readonly owner: string
  /** Slots that it holds in the whole cluster. */
  readonly held: number
  readonly labels: Readonly<Record<string, string>>
  readonly engine?: string | undefined
}

/**
 * The engine to ask, and for whose slot; `undefined` when a slot is free, or no executor holds more than a share. An executor without a slot may
 * have one of any other: where there are fewer slots than executors they take turns.
 */
export const chooseRecall = (
  { engine, held, labels, owner }: Waiter,
  engines: ReadonlyArray<EngineShares>,
  wasAsked: (engine: string) => boolean
): { readonly engine: string; readonly owner: string } | undefined => {
  const totals = new Map<string, number>()
  for (const each of engines) {
    for (const [holder, { count }] of Object.entries(each.held)) totals.set(holder, (totals.get(holder) ?? 0) + count)
  }
  let best:
    | { readonly engine: string; readonly owner: string; readonly total: number; readonly forMs: number }
    | undefined
  for (const each of engines) {
    if (engine !== undefined && each.id !== engine) continue
    if (Object.entries(labels).some(([label, value]) => each.labels[label] !== value)) continue
    if (each.running < each.slots) return undefined
    if (wasAsked(each.id)) continue
    for (const [holder, { forMs }] of Object.entries(each.held)) {
      const total = totals.get(holder)!
      if (holder === owner || (held > 0 && total <= held + 1)) continue
      if (best === undefined || total > best.total || (total === best.total && forMs > best.forMs)) {
        best = { engine: each.id, owner: holder, total, forMs }
      }
    }
  }
  return best === undefined ? undefined : { engine: best.engine, owner: best.owner }
}

export class Shares {
  readonly #registry: Registry
  /** When an engine was last asked, by executor and engine. */
  readonly #asked = new Map<string, Map<string, number>>()
  readonly #askedLast = new Map<string, number>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  recall({ engine, held = 0, labels, owner }: WantMessage): WantMessage["recall"] {
    const now = performance.now()
    const asked = this.#asked.get(owner) ?? new Map<string, number>()
    for (const [id, at] of asked) if (now - at > ASK_AGAIN_MS) asked.delete(id)
    if (now - (this.#askedLast.get(owner) ?? -Infinity) < ASK_EVERY_MS) return undefined
    const engines = Array.from(this.#registry.held(), ([info, slots]) => ({ ...info, held: slots }))
    const recall = chooseRecall({ engine, held, labels, owner }, engines, (id) => asked.has(id))
    if (recall === undefined) return undefined
    asked.set(recall.engine, now)
    this.#asked.set(owner, asked)
    this.#askedLast.set(owner, now)
    return recall
  }

  /** The executor has got a slot, or wants none any more. */
  answered(owner: string): void {
    this.#asked.delete(owner)
  }
}
