/** Who waits for a slot: what clients said, in the order in which they said it first. */
import { timers } from "@futures/core/Backend"
import type { WantMessage } from "../wire/messages.ts"

const { performance } = timers

/** A want that was not said again is forgotten after so many milliseconds. */
const FORGET = 3_500

export interface Want {
  readonly lease: string
  readonly client: string
  readonly owner: string
  /** When it was first heard of. */
  readonly since: number
  heardAt: number
  /** The executor whose slot here the client asks for, since that holds more than its share. */
  recallFrom: string | undefined
  /** Until when it is left alone: it was offered a slot. */
  quietUntil: number
}

export class Wants {
  readonly #engine: string
  readonly #labels: Readonly<Record<string, string>>
  readonly #wants = new Map<string, Want>()
  /** Slots that executors hold in the whole cluster, from their last wishes. */
  readonly #held = new Map<string, number>()

  constructor(engine: string, labels: Readonly<Record<string, string>>) {
    this.#engine = engine
    this.#labels = labels
  }

  /** Takes note. Answers whether there is a new one for this engine. */
  hear(message: WantMessage): boolean {
    const { client, engine, held, labels, leases, over, owner, recall } = message
    if (held !== undefined && over !== true) this.#held.set(owner, held)
    if (engine !== undefined && engine !== this.#engine) return false
    if (Object.entries(labels).some(([label, value]) => this.#labels[label] !== value)) return false
    const now = performance.now()
    const recallFrom = recall?.engine === this.#engine ? recall.owner : undefined
    let isNew = recallFrom !== undefined
    // One slot is asked for, however many are wanted.
    const asking = recallFrom === undefined ? undefined : leases[0]
    for (const lease of leases) {
      const known = this.#wants.get(lease)
      if (over === true) this.#wants.delete(lease)
      else if (known !== undefined) {
        known.heardAt = now
        // Another engine is asked now, or this one again.
        if (recall !== undefined) known.recallFrom = lease === asking ? recallFrom : undefined
      } else {
        isNew = true
        this.#wants.set(lease, {
          lease,
          client,
          owner,
          since: now,
          heardAt: now,
          recallFrom: lease === asking ? recallFrom : undefined,
          quietUntil: 0
        })
      }
    }
    return isNew
  }

  /** Slots that an executor that waits holds in the whole cluster; `undefined` for clients of earlier versions. */
  heldBy(owner: string): number | undefined {
    return this.#held.get(owner)
  }

  delete(lease: string): void {
    this.#wants.delete(lease)
  }

  /** Those that wait, oldest first, without those that were just offered a slot. */
  waiting(): Array<Want> {
    const now = performance.now()
    const waiting: Array<Want> = []
    for (const want of this.#wants.values()) {
      if (now - want.heardAt > FORGET) this.#wants.delete(want.lease)
      else if (want.quietUntil <= now) waiting.push(want)
    }
    if (this.#wants.size === 0) this.#held.clear()
    return waiting
  }
}
