/**
 * What clients and engines say to each other, by subject; all subjects begin with `cf.<namespace>.`.
 *
 * ```
 * engine ── hb.<engine> ──▶ all               how it is, several times a second
 * anyone ── bye.<engine> ─▶ all               it is gone, or takes nothing more
 * anyone ── who ──▶ engines                   tell how you are now
 * client ── want ──▶ engines                  who has a free slot?
 * engine ── cl.<client>.offer ──▶ client      here
 * client ── eng.<engine>.take ──▶ engine      taken: start a worker for this wish
 * engine ── cl.<client>.placed ─▶ client      it is born
 * client ── eng.<engine>.d.<lease> ─▶ engine  the channel to the worker
 * engine ── cl.<client>.d.<engine>.<lease> ─▶ client  and back
 * engine ── cl.<client's name>.progress.<call> ─▶ client  what a kept call reports
 * engine ── cl.<client's name>.output.<call>.<1 or 2> ─▶ client  what it writes; answered by the one that shows it
 * either ── <other>.ping ──▶ the other        do you live?
 * ```
 */

/** Tells what an engine is and does. */
export interface EngineInfo {
  /** Its name in the cluster. */
  readonly id: string
  /** The name of the machine that it is on. */
  readonly host: string
  /** Its process id there. */
  readonly pid: number
  /** Workers that it can run at a time. */
  readonly slots: number
  /** Slots that are taken: each by a worker, which runs calls of its executor or waits for them, or by a call of a named client. At most `slots`. */
  readonly running: number
  /**
   * Calls that it has started since it joined, those that still run included. A chunk of a `map` is one. Engines do not read what goes to their workers: of an
   * executor's calls this is what its workers mark, which may count one that was handed to a worker and taken back.
   */
  readonly done: number
  /** What executors may ask for. */
  readonly labels: Readonly<Record<string, string>>
  /** The version of this package. */
  readonly version: string
}

/** Slots of one engine that one executor holds. */
export interface HeldSlots {
  readonly count: number
  /** For how long it has held the oldest of them, in milliseconds. */
  readonly forMs: number
}

/** What an engine tells several times a second. */
export interface BeatMessage extends EngineInfo {
  /** When its process was started: see `ProcessIdentity`. Missing from engines of earlier versions. */
  readonly born?: string
  /** By executor, the slots that it holds here. Missing from engines of earlier versions. */
  readonly held?: Readonly<Record<string, HeldSlots>>
  /** What the calls of named clients that it has in hand are acknowledged by: when it dies, others give them back to the queue. */
  readonly receipts: ReadonlyArray<string>
}

/** Workers that an executor would like to have. Repeated while it waits. */
export interface WantMessage {
  readonly client: string
  /** The executor: engines share their slots out among executors. */
  readonly owner: string
  readonly leases: ReadonlyArray<string>
  /** The engine must have these. */
  readonly labels: Readonly<Record<string, string>>
  /** The engine must be this one. */
  readonly engine?: string | undefined
  /** Slots that the executor holds in the whole cluster. Missing from clients of earlier versions. */
  readonly held?: number
  /** Asks this engine to take a slot back from that executor, which holds more than its share. */
  readonly recall?: { readonly engine: string; readonly owner: string } | undefined
  /** They are not wanted any more. */
  readonly over?: boolean | undefined
}

/** Asks for a call of a named client to stop; answered with `mine` by the engine that has it. */
export interface InterruptMessage {
  readonly client: string
  readonly id: number
  readonly grace: number | undefined
  /** The reason that was given, an `ErrorRecord`: see `packed`. Missing from clients of earlier versions. */
  readonly reason?: string | undefined
}

/** A free slot for an executor. Every engine with a free slot answers the same wish, so the client may use the slot for any of its wishes of that executor. */
export interface OfferMessage {
  /** Names the offer on its engine. */
  readonly offer: string
  /** The wish that it answers. */
  readonly lease: string
  readonly engine: string
  readonly host: string
}

export interface TakeMessage {
  /** The offer that is taken. */
  readonly offer: string
  readonly client: string
  readonly owner: string
  readonly lease: string
  readonly execArgv: ReadonlyArray<string>
  /** While the broker is away the worker ends once it has had no calls for this long; `undefined`: never. */
  readonly idleTimeoutMs?: number | undefined
  /** The caller's code root, for errors. Missing from clients of earlier versions. */
  readonly root?: string
  /** Added to the worker's `process.argv`; clients of earlier versions send none. */
  readonly argv?: ReadonlyArray<string>
  /** Laid over the engine's environment; `null` takes a variable away. */
  readonly env: Readonly<Record<string, string | null>>
}

export interface PlacedMessage {
  readonly lease: string
  readonly engine: string
  readonly pid: number
  /** Whether the worker notes what it starts. */
  readonly marks: boolean
}

export interface ExitMessage {
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
  /** What the engine saw, in words. */
  readonly error?: string | undefined
  /** The call that was started last. */
  readonly started?: number | undefined
  /** The engine ended it for reasons of its own. */
  readonly ended?: boolean | undefined
}
