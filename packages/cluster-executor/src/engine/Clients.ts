/**
 * The clients that hold slots here: whether they are alive. What runs for a client that has ended is ended too.
 *
 * A client that is connected and silent is given five minutes: a program that computes, or is stopped, answers nothing meanwhile.
 */
import { timers } from "@futures/core/Backend"
import { Liveness, observing } from "../Liveness.ts"
import type { Bus } from "../wire/Bus.ts"

const { performance } = timers

const LOOK_MS = 250
const LIMITS = { quietMs: 1_000, nobodyMs: 500, silentMs: 300_000, settleMs: 2_000, stepMs: 2 * LOOK_MS }

export interface ClientsHost {
  /** Whether a client holds a slot here. */
  readonly isHolding: (client: string) => boolean
  /** The client has ended. */
  readonly gone: (client: string) => void
}

export class Clients {
  readonly #bus: Bus
  readonly #host: ClientsHost
  readonly #liveness = new Liveness(LIMITS, performance.now())
  readonly #stopLooking: () => void

  constructor(bus: Bus, host: ClientsHost) {
    this.#bus = bus
    this.#host = host
    this.#stopLooking = observing(bus, this.#liveness, { askMs: LIMITS.quietMs, everyMs: LOOK_MS }, () => this.#look())
  }

  heard(client: string): void {
    this.#liveness.heard(client)
  }

  close(): void {
    this.#stopLooking()
  }

  #look(): void {
    for (const client of this.#liveness.ids()) if (!this.#host.isHolding(client)) this.#liveness.forget(client)
    for (const client of this.#liveness.silent()) this.#host.gone(client)
    for (const client of this.#liveness.toProbe()) void this.#probe(client)
  }

  async #probe(client: string): Promise<void> {
    const { since } = this.#bus
    const answer = await this.#bus.probe(`cl.${client}.ping`, LIMITS.quietMs)
    if (this.#liveness.probed(client, this.#bus.since === since ? answer : "silence")) this.#host.gone(client)
  }
}
