/**
 * What crosses between the parent and a worker.
 *
 * A frame is a plain array `[kind, executor, generation, ...body]`. `executor` and `generation` name the worker's life that it belongs to: a late
 * frame of an earlier life is recognised, dropped and counted. Calls and outcomes are flat lists, so one frame carries any number of them.
 *
 * ```
 * parent ── Hello ──▶ worker         once, first
 * parent ◀─ Ready ─── worker         once, when it can take calls
 * parent ── Calls ──▶ worker         n calls
 * parent ── Interrupt ▶ worker       ask calls to stop
 * parent ◀─ Loading ─ worker         a call's task module is being loaded
 * parent ◀─ Started ─ worker         a call's function is being called, where a clock of the parent starts with it
 * parent ◀─ Outcomes  worker         n outcomes
 * parent ◀─ Progress  worker         what a call reported of its progress
 * parent ◀─ Items ─── worker         what a generator task yielded, or outcomes of some items of a chunk
 * parent ── Credit ─▶ worker         it may yield so many more
 * parent ◀─ Memory ── worker         it uses more memory than it may
 * parent ◀─ Calls ─── worker         calls that a task hands in itself; Interrupt and Outcomes then go the other way round as well
 * parent ◀─ Park ──── worker         a call waits for calls of its own, and gives its slot back
 * parent ◀─ Unpark ── worker         it goes on
 * parent ── OutputCredit ▶ worker    stdout (1) or stderr (2) has taken so much of it
 * parent ◀─ Output ── worker         what tasks wrote to stdout and stderr, before the outcome of the call that wrote it
 * parent ◀─ Last ──── worker         it exits with this code, and has reported everything that it did
 * parent ◀─ Fatal ─── worker         an uncaught error, or the initializer's; the worker ends
 * parent ◀─ LeftBehind  worker      an error of a call that has settled; the worker is to be replaced
 * parent ◀─ Notice ── worker         a text that the parent publishes once, as a warning
 * parent ── Task ───▶ worker         a task that calls will name by its index, where a frame of calls may be given back unread
 * parent ── Lease ──▶ worker         the deadline of the calls that follow and say `LEASED`
 * parent ── Stop ───▶ worker         no more calls will come: end
 * ```
 */
/** Raised whenever a frame changes its shape, so that two versions that meet refuse each other instead of misreading. */
export const WIRE_VERSION = 8

/** What a frame says: its first field. Who says it to whom is drawn above. */
export const Kind = {
  /** The `Setup`; once, first. */
  Hello: 1,
  /** It can take calls; once. */
  Ready: 2,
  /** Calls: `CALL_FIELDS` fields each, and its arguments. */
  Calls: 3,
  /** A call to stop: its wire id, `grace` (ms), and the reason that was given, as an `ErrorRecord`. */
  Interrupt: 4,
  /** Outcomes, `OUTCOME_STRIDE` fields each. */
  Outcomes: 5,
  /** What tasks wrote to stdout and stderr. */
  Output: 6,
  /** An uncaught error, or the initializer's; the worker ends. */
  Fatal: 7,
  /** No more calls will come: end. */
  Stop: 8,
  /** What a call reported of its progress. */
  Progress: 9,
  /** It uses more memory than it may. */
  Memory: 10,
  /**
   * What a generator task yielded, or outcomes of some items of a chunk, and then, where it returns others that it has not begun, how many items it still
   * answers for.
   */
  Items: 11,
  /** A generator task may yield so many more. */
  Credit: 12,
  /** A call waits for calls of its own, and gives its slot back. */
  Park: 13,
  /** It goes on. */
  Unpark: 14,
  /** It exits, and has reported everything that it did: the exit code. Sent again when exit hooks have changed that. */
  Last: 15,
  /** A text for the user of the program. */
  Notice: 16,
  /** The module of a call's task is being loaded. */
  Loading: 17,
  /** A call's function is being called: sent for calls that have a run timeout, and after `Loading`. */
  Started: 18,
  /** An error that nothing caught, of a call that has settled: the record, the call's id and its label. */
  LeftBehind: 19,
  /** To a worker: the parent's stream has taken so much of its output. */
  OutputCredit: 20,
  /** The deadline (`monotonic()`, ms) of the calls that follow with the deadline `LEASED`. */
  Lease: 21,
  /** A task: its index, its module and its name. */
  Task: 22
} as const

/** The first three fields of every frame. */
export const HEADER = 3

/** What a worker is told once. */
export interface Setup {
  /** The parent's `WIRE_VERSION`. */
  readonly version: number
  /** What `info.workerId` shows; `undefined` where the worker knows better. */
  readonly workerId: number | string | undefined
  /** The smallest number, from 0, that no other worker of the executor had when this one was started. */
  readonly number: number
  /** `Task.current().key` is this, a hyphen and the call's id, unless the call brings a key. */
  readonly key: string
  /** The URL of the file that starts the program, where workers load modules from the same place. */
  readonly main?: string | undefined
  /** Calls that may run at a time. */
  readonly concurrency: number
  /** Whether what tasks write to stdout and stderr travels as `Output` frames. */
  readonly pipeOutput: boolean
  /** Bytes it may use; `Infinity` for no limit. */
  readonly memoryLimit: number
  /** A call to make before any other. */
  readonly initializer:
    | { readonly module: string; readonly name: string; readonly args: ReadonlyArray<unknown> }
    | undefined
  /** The task that restores a call's context. */
  readonly restore: { readonly module: string; readonly name: string } | undefined
}

/**
 * Calls that a worker may hold at a time, at most. A wire id is `turn * SLOTS + slot`: unique, since turns only grow; finding its call without a map; and
 * ordered as the calls were handed over.
 */
export const SLOTS = 2 ** 16

/** The turn of a worker's first call. */
export const FIRST_TURN = 2 ** 31 / SLOTS

/**
 * What a worker marks before it starts something: the turn of that call, counted from 1, and, behind the point, how many items of it, if it
 * is a chunk: so that one number, written at once, tells all. Nothing behind the point: that is not known.
 */
export const markOf = (wireId: number, items = 0): number =>
  Math.floor(wireId / SLOTS) + 1 + Math.min(items, ITEMS - 1) / ITEMS

/** Items that fit behind the point of a mark. */
const ITEMS = 2 ** 20

/** How many calls had been handed to a worker by the time of a mark, up to the one that it started last; 0 for no mark. */
export const callsBy = (mark: number): number => Math.max(0, Math.floor(mark) - FIRST_TURN)

/** The first wire id that had not been started by the time of a mark. */
export const firstUnstarted = (mark: number): number => Math.floor(mark) * SLOTS

/** How many calls were handed over from one to another, both included. */
export const callsBetween = (first: number, last: number): number =>
  Math.floor(last / SLOTS) - Math.floor(first / SLOTS) + 1

/** Whether a call had been started by the time of a mark. */
export const wasStarted = (mark: number, wireId: number): boolean => Math.floor(wireId / SLOTS) + 1 <= mark

/** How many items of a chunk may have run by the time of a mark. */
export const itemsStarted = (mark: number, wireId: number): number | undefined => {
  const items = (mark - Math.floor(mark)) * ITEMS
  const isOfThis = Math.floor(mark) === Math.floor(wireId / SLOTS) + 1
  return isOfThis && items > 0 && items < ITEMS - 1 ? items : undefined
}

/**
 * A call in a `Calls` frame, as `CALL_FIELDS` consecutive fields, and its captured arguments behind them (a list of their own for each call would take
 * longer to write and to read than all the rest):
 * - `wireId`: this hand-over of the call, never used twice in a worker's life; outcomes name it
 * - `callId`: the future's id
 * - `task`: the index of a task that this worker already knows, or `[index, module, name]` the first time
 * - `deadline`: 0, or the `monotonic()` time from which on the worker does not start it any more but gives it back (`Status.Returned`);
 *   `LEASED`: the time in the latest `Lease` frame
 * - `meta`: the attempt (1 for the first run) of a plain call, or a `CallMeta`
 * - `count`: how many arguments follow
 */
export const CALL_FIELDS = 6

/** The deadline of a call whose deadline is set where the worker runs, by a `Lease` frame. */
export const LEASED = -1

/** Adds a call to a `Calls` frame. */
export const addCall = (
  frame: Array<unknown>,
  wireId: number,
  callId: number,
  task: TaskReference,
  args: ReadonlyArray<unknown>,
  deadline: number,
  meta: number | CallMeta
): void => {
  frame.push(wireId, callId, task, deadline, meta, args.length)
  for (const argument of args) frame.push(argument)
}

/** Where the next call of a `Calls` frame begins, when one begins at `at`. */
export const callEnd = (frame: Frame, at: number): number => at + CALL_FIELDS + (frame[at + 5] as number)

/** The arguments of the call that begins at `at`. */
export const argsAt = (frame: Frame, at: number): Array<unknown> => frame.slice(at + CALL_FIELDS, callEnd(frame, at))

/** What a worker is told of a call beside its arguments. */
export interface CallMeta {
  /** Which run of the call it is, from 1. */
  readonly attempt: number
  /**
   * `args` holds one array or typed array of items: the task is called with each (`"item"`), or with what is in each (`"spread"`), and the value is
   * `ItemOutcomes`.
   */
  readonly each: "item" | "spread" | undefined
  /** Of a chunk of items. A chunk that returns items succeeds with fewer outcomes than it has items: the others have not begun. */
  readonly limits?: ChunkLimits | undefined
  /** Items that a generator task may yield before it is given more; 0 for a task that is no generator. */
  readonly window: number
  /** What the caller's `context.capture()` answered. */
  readonly context?: unknown
  /** The label given with `Task.with`. */
  readonly label?: string | undefined
  /** The caller's span and log annotations. */
  readonly trace?: CallTrace | undefined
  /** How long the function may run, in milliseconds, from its call: the worker then asks it to stop. */
  readonly timeout?: number | undefined
  /** The options that whoever queues the call keeps: sent where that is the other side. */
  readonly options?: RemoteOptions | undefined
  /** The wire id of the running call that hands this one in. */
  readonly parent?: number | undefined
  /** The call's key, where the worker cannot know it. */
  readonly key?: string | undefined
  /** Index of the first item of a chunk, behind the key. */
  readonly item?: number | undefined
  /** How often it was delivered before, to a machine that was lost. */
  readonly losses?: number | undefined
}

/** When a chunk of items returns those that it has not begun, and how long each of its items may run. */
export interface ChunkLimits {
  /** After it has run for so many milliseconds; `Infinity` for one of a fixed size. */
  readonly ms: number
  /** When its results have so many bytes, as estimated. */
  readonly bytes: number
  /** Milliseconds that an item may run. */
  readonly itemMs: number
}

/** The caller's span and log annotations, as they travel. */
export interface CallTrace {
  /** The span that the call was handed in under, as OpenTelemetry names it. */
  readonly span: { readonly traceId: string; readonly spanId: string; readonly sampled: boolean } | undefined
  /** What the caller had its logs annotated with. */
  readonly annotations: Readonly<Record<string, unknown>>
}

/** Options of a call that can travel; durations in milliseconds. */
export interface RemoteOptions {
  /** Of an attempt, while it runs. */
  readonly timeout?: number | undefined
  /** Of the wait before it is started. */
  readonly queueTimeout?: number | undefined
  /** Higher goes first; that of the running call that submits this one by default. */
  readonly priority?: number | undefined
}

/** Output that a worker may be ahead of the parent's stream: bytes, or characters of text. */
export const OUTPUT_WINDOW_BYTES = 256 * 1024

/** Items that a generator task may be ahead of whoever takes them. */
export const STREAM_WINDOW = 16

/** A task: its index among those that the worker knows; with its module's URL and its name the first time. */
export type TaskReference = number | readonly [index: number, module: string, name: string]

/**
 * An outcome in an `Outcomes` frame, as `OUTCOME_STRIDE` consecutive fields: `wireId`, `status`, the captured value or an `ErrorRecord`, and how many
 * milliseconds the call ran, from the call of its function, without standstills of its worker.
 */
export const OUTCOME_STRIDE = 4

/** How a call ended, or that it did not. */
export const Status = {
  /** The value of the task. */
  Succeeded: 0,
  /** The task threw or rejected: an `ErrorRecord`. */
  Threw: 1,
  /** The task's Effect failed with a typed error: an `ErrorRecord`. */
  Failed: 2,
  /** The task stopped because it was asked to. */
  Interrupted: 3,
  /** The call itself was at fault (no such task, a result that cannot travel): an `ErrorRecord` of an error of ours. */
  Refused: 4,
  /** It was not started in time, and will not be: the parent may hand it to another. */
  Returned: 5
} as const
/** One of `Status`. */
export type Status = (typeof Status)[keyof typeof Status]

/** What crosses between the two sides of a link: a plain array, whose first element is its kind. A backend never looks into one. */
export type Frame = ReadonlyArray<unknown>
