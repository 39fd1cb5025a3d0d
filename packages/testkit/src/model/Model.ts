/**
 * What may become of calls, in a few lines: the engine is right when it never does anything else.
 *
 * A call begins with the endings that its kind allows. What the caller does narrows them, by what the caller could see at that time: a call that was
 * pending when it was cancelled can only be cancelled. What befalls a worker widens them, for whoever may have run there.
 */
import type { FutureState } from "@futures/core"

export type Ending = "succeeded" | "failed" | "lost" | "cancelled" | "not portable" | "shut down"
export type Kind = "quick" | "slow" | "fail" | "hang" | "hang on" | "crash" | "argument"

/** Whether the task must have begun, once its call has settled. */
export type Begins = "always" | "perhaps" | "never"

export interface ModelCall {
  readonly kind: Kind
  /** A call that goes on until it is released or stopped. */
  held: boolean
  allowed: ReadonlySet<Ending>
  begins: Begins
}

/** What there is to know of an executor, apart from what it does. */
export class Model {
  readonly calls: Array<ModelCall> = []
  /** Maps that were begun, and whether they were closed early. */
  readonly maps: Array<{ closed: boolean }> = []
  over = false
  /** Whether two calls may run in one worker, and then be lost together. */
  readonly crowded: boolean

  constructor(settings: { readonly concurrency: number }) {
    this.crowded = settings.concurrency > 1
  }

  submit(kind: Kind): ModelCall {
    const call: ModelCall = {
      kind,
      held: !this.over && (kind === "hang" || kind === "hang on"),
      allowed: new Set(this.over ? refused(kind) : [endings[kind]]),
      begins: this.over || kind === "argument" ? "never" : "always"
    }
    this.calls.push(call)
    if (kind === "crash") this.endangered()
    return call
  }

  /** What `cancel()` must answer. */
  cancel(call: ModelCall, state: FutureState): boolean {
    if (state === "pending") this.#cancelled(call, "never")
    return state === "pending" || state === "cancelled"
  }

  /** What `interrupt()` must answer. */
  interrupt(call: ModelCall, state: FutureState): boolean {
    if (state !== "pending" && state !== "running") return false
    // A pending call may be in a worker's hands, and start before it hears of it.
    this.#cancelled(call, "perhaps")
    if (call.kind === "hang on") this.endangered()
    return true
  }

  /** The end has begun: no more calls, and those that are dropped are cancelled. */
  end(how: "wait" | "cancel pending" | "terminate", states: ReadonlyArray<FutureState>): void {
    this.over = true
    this.calls.forEach((call, index) => {
      const state = states[index]!
      if (state === "pending" && how !== "wait") this.#maybeCancelled(call, how)
      if (state === "running" && how === "terminate") this.interrupt(call, state)
    })
  }

  /** A worker may end under any of its calls: those that have not settled, and those to come while it is so. */
  endangered(): void {
    if (!this.crowded) return
    this.#endangered = true
  }

  #endangered = false

  /** Whether a call may have ended so. */
  allows({ allowed, begins }: ModelCall, ending: Ending): boolean {
    return allowed.has(ending) || (ending === "lost" && this.#endangered && begins !== "never")
  }

  /** It waits, and is cancelled, or it is in a worker's hands already, and runs unless it is stopped too. */
  #maybeCancelled(call: ModelCall, how: "cancel pending" | "terminate"): void {
    const { allowed } = call
    this.#cancelled(call, "perhaps")
    if (how === "cancel pending") call.allowed = new Set([...allowed, "cancelled"])
  }

  #cancelled(call: ModelCall, begins: Begins): void {
    call.allowed = new Set(["cancelled"])
    call.begins = begins
    // From now on it may end at any time.
    call.held = false
  }
}

const endings: Readonly<Record<Kind, Ending>> = {
  quick: "succeeded",
  slow: "succeeded",
  fail: "failed",
  hang: "succeeded",
  "hang on": "succeeded",
  crash: "lost",
  argument: "not portable"
}

/** What comes after the end is refused, for either reason if there are two. */
const refused = (kind: Kind): Array<Ending> => kind === "argument" ? ["shut down", "not portable"] : ["shut down"]
