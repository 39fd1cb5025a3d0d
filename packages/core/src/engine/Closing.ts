/**
 * Ending: everything handed in settles, then the workers end. Each step is taken once, however often it is asked for.
 */
import { LONGEST_DELAY, toMillis } from "../duration.ts"
import type { DurationInput } from "../duration.ts"
import { InvalidOptionError } from "../ExecutorError.ts"
import { ownOptions } from "../unknownOption.ts"
import type { Engine, Supervisor } from "./Engine.ts"
import { cancelledBy } from "./Failure.ts"
import { PatientTimer } from "./PatientTimer.ts"

export interface ShutdownOptions {
  /** Cancel what has not started instead of running it. */
  readonly cancelPending?: boolean | undefined
  /**
   * Milliseconds after which what has not started is cancelled, and what still runs is interrupted, and then ended by force. For ever by default. What had to
   * be forced is told: each call that was stopped is a cancelled future, `stats().cancelled` of them; `onWorkerExit` hears of each worker that was ended by
   * force (`forced`), `stats().forced` of them; a thread that cannot be stopped is named in a warning.
   */
  readonly timeout?: DurationInput | undefined
}

const names = ["cancelPending", "timeout"] as const satisfies ReadonlyArray<keyof ShutdownOptions>

export class Closing {
  readonly #engine: Engine
  readonly #supervisor: Supervisor
  /** Whether it has begun, which holds the process to its end. */
  hasBegun = false
  #closing: Promise<void> | undefined
  #drained: (() => void) | undefined

  constructor(engine: Engine, supervisor: Supervisor) {
    this.#engine = engine
    this.#supervisor = supervisor
  }

  /** `async`, so that a wrong option rejects; the code up to `#close` runs at once. */
  async shutdown(options: ShutdownOptions): Promise<void> {
    const { cancelPending = false, timeout = Infinity } = ownOptions(options, names, "shutdown")
    const after = toMillis(timeout, "timeout")
    if (typeof cancelPending !== "boolean") {
      throw new InvalidOptionError({ option: "cancelPending", received: cancelPending, expected: "true or false" })
    }
    this.#engine.drain()
    if (cancelPending) this.#engine.cancelPending()
    if (after <= LONGEST_DELAY) {
      const timer = new PatientTimer(after, () => 0, () => this.#interruptAll(), { onlyReads: true, isUnref: true })
      void this.#close().finally(() => timer.clear())
    }
    return this.#close()
  }

  /** Ends now: cancels what is pending, interrupts what runs. */
  terminate(): Promise<void> {
    this.#engine.drain()
    this.#interruptAll()
    return this.#close()
  }

  /** Ends the workers that have nothing to do; the executor stays open. */
  async endIdle(): Promise<void> {
    const idle = [...this.#engine.lanes].filter((lane) => lane.state === "ready" && lane.idle)
    await Promise.all(idle.map((lane) => this.#supervisor.retire(lane)))
  }

  /** The last call has settled. */
  drained(): void {
    this.#drained?.()
  }

  #interruptAll(): void {
    this.#engine.cancelPending()
    for (const lane of this.#engine.lanes) {
      for (const cell of lane.calls()) this.#engine.abort(cell, cancelledBy("shutdown"))
    }
  }

  #close(): Promise<void> {
    return this.#closing ??= this.#drainAndEnd()
  }

  async #drainAndEnd(): Promise<void> {
    const engine = this.#engine
    this.hasBegun = true
    engine.alive.hold()
    engine.room.tell()
    if (engine.unsettled > 0) await new Promise<void>((resolve) => this.#drained = resolve)
    engine.recycling.close()
    await this.#supervisor.close()
    await this.#engine.backend.close?.()
    engine.closed()
  }
}
