/**
 * The worker's side: takes calls, runs them, answers.
 *
 * ```
 * waiting ──▶ running ──▶ answered         a call; asked to stop while waiting, it never runs
 *             running ◀─▶ parked           while it waits for calls of its own it gives its slot back
 * ```
 *
 * Loaded by every worker: it imports neither the engine nor Effect. Outcomes are collected and sent together, after the code that is running now.
 */
import { setTimeout } from "../timers.ts"
import { encodeError } from "../wire/error.ts"
import type { ErrorRecord } from "../wire/error.ts"
import { argsAt, callEnd, HEADER, Kind, LEASED, markOf, Status, WIRE_VERSION } from "../wire/frames.ts"
import type { CallMeta, Frame, Setup, TaskReference } from "../wire/frames.ts"
import { monotonic } from "../wire/monotonic.ts"
import { cannotBeSent } from "../wire/oversize.ts"
import { captureArgs } from "../wire/value.ts"
import type { CaptureMode } from "../wire/value.ts"
import { CallContext } from "./CallContext.ts"
import type { CallHost } from "./CallContext.ts"
import { currentTask } from "./context.ts"
import { closeLayers } from "./effects.ts"
import { generate } from "./generate.ts"
import { invoke } from "./invoke.ts"
import type { Answer, Invocation, Surroundings } from "./invoke.ts"
import { invokeEach, unlimited } from "./invokeEach.ts"
import { entryFailed, loadTask } from "./load.ts"
import { MemoryWatch } from "./MemoryWatch.ts"
import { Outcomes } from "./Outcomes.ts"
import type { Output } from "./output.ts"
import type { TaskDefinition, TaskFunction } from "./registry.ts"
import { RunClock } from "./RunClock.ts"

/** The worker's end of a link. */
export interface WorkerPort extends CaptureMode {
  /** Sends a frame to the parent, in order. `transfers` may be ignored where memory is not shared. */
  readonly send: (frame: Frame, transfers: ReadonlyArray<ArrayBuffer>) => void
  /** Ends this worker; nothing more will be asked of it. */
  readonly end: () => void
  /**
   * Notes a number where the parent can read it after this worker's death, however sudden: calls up to there have been started. Called before each
   * call starts, and, while a chunk of a map runs, before the next of its items.
   */
  readonly mark?: ((started: number) => void) | undefined
  /**
   * Claims a call, by its wire id, before it starts. Returns `false` when the parent has taken it back (`Link.withdraw`): exactly one of the
   * two succeeds. Absent where the parent takes nothing back that was sent.
   */
  readonly claim?: ((wireId: number) => boolean) | undefined
  /**
   * Whether the parent has asked a call to stop, by its wire id (`Link.requestStop`): what a task sees that computes. It may be called many times a
   * millisecond. Absent where only frames tell.
   */
  readonly stopRequested?: ((wireId: number) => boolean) | undefined
  /** From what names a module in a frame to the URL that is imported here, where modules lie elsewhere than in the parent. May throw an error of ours. */
  readonly resolve?: ((module: string, task: string) => string) | undefined
  /** The other way, for calls that tasks hand in themselves. */
  readonly locate?: ((module: string) => string) | undefined
  /** Whether the caller's own code runs on this thread too. */
  readonly sharesThread?: boolean | undefined
  /** Bytes that this worker uses, where that can be told. */
  readonly memoryUsage?: (() => number) | undefined
}

/** A call as it waits here. */
interface WaitingCall {
  readonly wireId: number
  readonly callId: number
  readonly task: number
  readonly args: ReadonlyArray<unknown>
  readonly deadline: number
  readonly meta: CallMeta
}

/** How long tasks may take to stop once the parent is gone, in milliseconds. */
const ORPHAN_GRACE_MS = 500

/** The arguments of calls without any. */
const none: ReadonlyArray<unknown> = []

/** What most calls have. */
const firstRun: CallMeta = { attempt: 1, each: undefined, window: 0 }

const metaOf = (meta: number | CallMeta): CallMeta => {
  if (meta === 1) return firstRun
  return typeof meta === "number" ? { ...firstRun, attempt: meta } : meta
}

export class Host implements CallHost, Surroundings {
  readonly #port: WorkerPort
  #executor = 0
  #generation = 0
  #setup: Setup | undefined
  restore: TaskFunction | undefined
  /** Tasks by the index that the parent gave them. */
  readonly #tasks: Array<{ readonly module: string; readonly name: string; definition: TaskDefinition | undefined }> =
    []
  readonly #waiting: Array<WaitingCall> = []
  readonly #running = new Map<number, CallContext>()
  /** Running calls that gave their slot back. */
  #parked = 0
  readonly #outcomes: Outcomes
  #memory: MemoryWatch | undefined
  #stopping = false
  #ending = false
  #isReady = false
  #hasLeftBehind = false
  /** Calls that wait for the file that starts the program. */
  readonly #loadingEntry = new Map<CallContext, { readonly module: string; readonly name: string }>()
  /** Whether a module has started the program once more in this worker. */
  #isSpoiled = false
  #looping = false
  /** The deadline in the latest `Lease` frame; 0 before the first. */
  #lease = 0
  /** When a call ended last, by `monotonic()`. */
  #endedAt = 0
  /** The call that was started last. */
  #latest = -1
  /** Whether a call was given back; so are all after it, until one comes that the parent sent when it had them all back. */
  #late = false
  /** This worker's stdout and stderr, once they are redirected. */
  output: Output | undefined
  onNested: ((frame: Frame) => void) | undefined

  constructor(port: WorkerPort) {
    this.#port = port
    this.#outcomes = new Outcomes((frame, transfers) => {
      this.output?.flush(false)
      port.send(frame, transfers)
    })
  }

  get setup(): Setup | undefined {
    return this.#setup
  }

  get workerNumber(): number {
    return this.#setup!.number
  }

  get workerId(): number | string {
    return this.#setup!.workerId!
  }

  /** Not of the running call alone: one that waits for it cannot look. */
  lookAtClocks(): void {
    for (const { clock } of this.#running.values()) clock?.look()
  }

  stopRequested(wireId: number): boolean {
    return this.#port.stopRequested?.(wireId) === true
  }

  keyOf(id: number): string {
    return `${this.#setup!.key}-${id}`
  }

  get mode(): CaptureMode {
    return this.#port
  }

  get sharesThread(): boolean {
    return this.#port.sharesThread === true
  }

  get locate(): ((module: string) => string) | undefined {
    return this.#port.locate
  }

  readonly transfers = (): Array<ArrayBuffer> => this.#outcomes.transfers

  receive(frame: Frame): void {
    switch (frame[0]) {
      case Kind.Hello:
        return void this.#greet(frame)
      case Kind.Calls:
        for (let at = HEADER; at < frame.length; at = callEnd(frame, at)) {
          const deadline = frame[at + 3] as number
          this.#waiting.push({
            wireId: frame[at] as number,
            callId: frame[at + 1] as number,
            task: this.#learn(frame[at + 2] as TaskReference),
            args: frame[at + 5] === 0 ? none : argsAt(frame, at),
            deadline: deadline === LEASED ? this.#lease : deadline,
            meta: metaOf(frame[at + 4] as number | CallMeta)
          })
        }
        return this.#next()
      case Kind.Interrupt:
        return this.#interrupt(
          frame[HEADER] as number,
          frame[HEADER + 1] as number | undefined,
          frame[HEADER + 2] as ErrorRecord | undefined
        )
      case Kind.Credit:
        return this.#running.get(frame[HEADER] as number)?.credit?.(frame[HEADER + 1] as number)
      case Kind.OutputCredit:
        return this.output?.credit(frame[HEADER] as number, frame[HEADER + 1] as number)
      case Kind.Outcomes:
      case Kind.Items:
        return this.onNested?.(frame)
      case Kind.Task:
        return void this.#learn(frame.slice(HEADER) as unknown as TaskReference)
      case Kind.Lease:
        this.#lease = frame[HEADER] as number
        return
      case Kind.Stop:
        this.#stopping = true
        return this.#endWhenIdle()
    }
  }

  /** Ends the worker if it has no calls. A call that arrives later is not started. */
  endIfIdle(): void {
    if (this.#running.size > 0 || this.#waiting.length > 0) return
    this.#stopping = true
    this.#endWhenIdle()
  }

  /** The parent is gone: running tasks are asked to stop, then finalizers run, and the worker ends. */
  leave(): void {
    this.abandon()
    this.#stopping = true
    this.#endWhenIdle()
    setTimeout(() => void this.#end(), ORPHAN_GRACE_MS)
  }

  /** Sends a frame now, after the outcomes that were collected before it. */
  send(kind: number, ...body: ReadonlyArray<unknown>): void {
    // Calls that a task hands in go before its outcome, by which it might be over.
    if (kind !== Kind.Calls) this.#outcomes.flush()
    if (kind !== Kind.Output) this.output?.flush(kind === Kind.Last || kind === Kind.Fatal)
    this.#port.send([kind, this.#executor, this.#generation, ...body], [])
  }

  /** Tells the parent of an error that nobody caught; the worker then ends. */
  fatal(error: unknown): void {
    if (this.#loadingEntry.size > 0) {
      // What has not started goes back to the parent.
      this.#waiting.length = 0
      for (const [context, { module, name }] of this.#loadingEntry) {
        this.#answer(context, Status.Refused, encodeError(entryFailed(module, name, error), this.#port))
      }
    }
    this.send(Kind.Fatal, encodeError(error, this.#port))
  }

  /** Sends a text that the parent publishes as a warning. */
  notice(text: string): void {
    this.send(Kind.Notice, text)
  }

  /**
   * Reports an error that nothing caught, if its async context is that of a call of this worker that has settled. Returns `false` for any other: then
   * the state of a running call, or of the module itself, is unknown, and the worker has to end.
   */
  leftBehind(error: unknown): boolean {
    const context = currentTask() as CallContext | undefined
    if (context === undefined || context.host !== this) return false
    if (!this.#isReady || this.#running.get(context.wireId) === context) return false
    this.#reportLeftBehind(error, context)
    return true
  }

  /** One report is enough: the worker is replaced. */
  #reportLeftBehind(error: unknown, { id, label }: CallContext): void {
    if (!this.#hasLeftBehind) this.send(Kind.LeftBehind, encodeError(error, this.#port), id, label)
    this.#hasLeftBehind = true
  }

  /** Reports everything that is left to report: the worker is ending, whatever runs, with this exit code. */
  lastWords(exitCode: number): void {
    if (this.#setup === undefined) return
    for (const context of this.#running.values()) context.tellAll?.()
    this.send(Kind.Last, exitCode)
  }

  /** Starts nothing any more, neither a call nor an item of a chunk: nobody hears of it. */
  abandon(): void {
    this.#waiting.length = 0
    for (const context of this.#running.values()) context.ask(undefined)
  }

  progress(wireId: number, value: unknown): void {
    const args = [value]
    captureArgs(args, this.#port)
    if (!this.#running.has(wireId)) return
    try {
      this.send(Kind.Progress, wireId, args[0])
    } catch (error) {
      throw cannotBeSent(error, "args[0]", "argument")
    }
  }

  park(wireId: number, by: 1 | -1): void {
    const context = this.#running.get(wireId)
    if (context === undefined) return
    context.waits += by
    if (by === 1 ? context.waits !== 1 : context.waits !== 0) return
    this.#parked += by
    this.send(by === 1 ? Kind.Park : Kind.Unpark, wireId)
    this.#next()
  }

  async #greet(frame: Frame): Promise<void> {
    this.#executor = frame[1] as number
    this.#generation = frame[2] as number
    this.#outcomes.header = [this.#executor, this.#generation]
    const setup = this.#setup = frame[HEADER] as Setup
    try {
      if (setup.version !== WIRE_VERSION) {
        const versions = `${setup.version}, the worker ${WIRE_VERSION}`
        throw new Error(`Two versions of @futures/core meet: the parent speaks wire ${versions}`)
      }
      if (setup.restore !== undefined) this.restore = (await this.load(setup.restore.module, setup.restore.name)).fn
      if (setup.initializer !== undefined) {
        // Most have none.
        const { initialize } = await import("./initialize.ts")
        await initialize(this, setup.initializer)
      }
    } catch (error) {
      this.fatal(error)
      return this.#port.end()
    }
    const { memoryUsage } = this.#port
    if (Number.isFinite(setup.memoryLimit) && memoryUsage !== undefined) {
      this.#memory = new MemoryWatch(setup.memoryLimit, memoryUsage, (bytes) => this.send(Kind.Memory, bytes))
    }
    this.#isReady = true
    this.send(Kind.Ready)
  }

  /** Finds a task by what names it in frames. Rejects with `TaskNotFoundError`. */
  load(module: string, name: string): Promise<TaskDefinition> {
    const load = (): Promise<TaskDefinition> => loadTask(module, name, this.#port.resolve)
    return this.#isEntry(module) ? this.#loadEntry(module, name, load) : load()
  }

  #isEntry(module: string): boolean {
    return module === this.#setup?.main
  }

  async #loadEntry(module: string, name: string, load: () => Promise<TaskDefinition>): Promise<TaskDefinition> {
    // Most programs have their tasks elsewhere.
    const { loadEntry } = await import("./loadEntry.ts")
    return loadEntry(module, name, load, () => this.#isSpoiled = true)
  }

  #learn(reference: TaskReference): number {
    if (typeof reference === "number") return reference
    const [index, module, name] = reference
    this.#tasks[index] = { module, name, definition: undefined }
    return index
  }

  #next(): void {
    // A call that answers at once comes back here: the loop that started it goes on.
    if (this.#looping) return
    this.#looping = true
    while (this.#waiting.length > 0 && this.#running.size - this.#parked < this.#setup!.concurrency) {
      this.#run(this.#waiting.shift()!)
    }
    this.#looping = false
    this.#endWhenIdle()
  }

  #run(call: WaitingCall): void {
    const { callId, deadline, meta, wireId } = call
    if (deadline === 0) this.#late = false
    // Where the engine sets deadlines, it learns from the mark that this call goes back, and does not pass on what is behind it.
    // Elsewhere the time when the call before it ended is enough, since the clock is read after the mark.
    else if ((this.#lease === 0 ? this.#endedAt : monotonic()) >= deadline) this.#late = true
    if (this.#port.claim?.(wireId) === false) return
    // Calls start in order or go back in order.
    if (this.#late) return this.#report(wireId, Status.Returned, undefined, 0, monotonic())
    const earlier = this.#latest
    this.#latest = wireId
    this.#port.mark?.(markOf(wireId))
    // Looked at after the mark: from the deadline on the parent takes back what is not marked.
    const now = monotonic()
    this.#late = deadline !== 0 && now >= deadline
    if (this.#late) return this.#return(wireId, earlier, now)
    const task = this.#tasks[call.task]!
    const context = new CallContext(this, wireId, callId, meta.attempt, task, now)
    context.trace = meta.trace
    context.meta = meta
    this.#running.set(wireId, context)
    if (task.definition === undefined) return void this.#load(context, call)
    if (meta.timeout !== undefined) this.send(Kind.Started, wireId)
    this.#start(context, task.definition, call)
  }

  // `await` asks for no `then`: a task may have put its own on the prototype of all promises.
  async #load(context: CallContext, call: WaitingCall): Promise<void> {
    const task = this.#tasks[call.task]!
    this.send(Kind.Loading, context.wireId)
    if (this.#isEntry(task.module)) this.#loadingEntry.set(context, task)
    try {
      task.definition = await this.load(task.module, task.name)
    } catch (error) {
      this.#loadingEntry.delete(context)
      this.#answer(context, Status.Refused, encodeError(error, this.#port))
      if (this.#isSpoiled) this.#reportLeftBehind(error, context)
      return
    }
    this.#loadingEntry.delete(context)
    context.startedAt = monotonic()
    this.send(Kind.Started, context.wireId)
    this.#start(context, task.definition, call)
  }

  #start(context: CallContext, definition: TaskDefinition, { args, meta }: WaitingCall): void {
    const answer = (status: Status, value: unknown): void => this.#answer(context, status, value)
    // Asked to stop while its module was loading: it never runs.
    if (context.asked) return answer(Status.Interrupted, undefined)
    const call: Invocation = { context, definition, args, carried: meta.context }
    if (meta.timeout !== undefined) return this.#startTimed(call, meta, meta.timeout, answer)
    this.#invoke(call, meta, answer)
  }

  #startTimed(call: Invocation, meta: CallMeta, timeoutMs: number, answer: Answer): void {
    const { context } = call
    const clock = new RunClock(timeoutMs, this.sharesThread, () => context.expire(timeoutMs))
    context.clock = clock
    this.#invoke(call, meta, answer)
    clock.returned = true
  }

  #invoke(call: Invocation, meta: CallMeta, answer: Answer): void {
    if (meta.window === 0 && meta.each === undefined) return invoke(call, this, answer)
    const { wireId } = call.context
    const tell = (items: unknown, size?: number): void => this.#sendItems(wireId, items, size)
    if (meta.each === undefined) return void generate(call, meta.window, this, tell, answer)
    const events = { tell, mark: (items: number) => this.#markItems(wireId, items) }
    invokeEach(call, meta.each === "spread", meta.limits ?? unlimited, this, events, answer)
  }

  /** Returns a call that was marked too late: the parent is not to see it as started. An engine of a cluster reads marks in another way. */
  #return(wireId: number, earlier: number, now: number): void {
    if (this.#lease === 0) {
      this.#latest = earlier
      this.#port.mark?.(earlier < 0 ? 0 : markOf(earlier))
    }
    this.#report(wireId, Status.Returned, undefined, 0, now)
  }

  /** A mark tells how far the latest call has come: of another that runs beside it that stays unknown. */
  #markItems(wireId: number, items: number): void {
    if (wireId === this.#latest) this.#port.mark?.(markOf(wireId, items))
  }

  #sendItems(wireId: number, items: unknown, size: number | undefined): void {
    this.#outcomes.flush()
    const frame = [Kind.Items, this.#executor, this.#generation, wireId, items]
    if (size !== undefined) frame.push(size)
    const transfers = this.#outcomes.takeTransfers()
    try {
      this.#port.send(frame, transfers)
    } catch (error) {
      // Items of a generator may be too long together.
      if (size !== undefined || !Array.isArray(items) || items.length < 2 || this.#isChunk(wireId)) {
        throw cannotBeSent(error, "item", "result")
      }
      for (const item of items) this.#sendItems(wireId, [item], undefined)
    }
  }

  #isChunk(wireId: number): boolean {
    return this.#running.get(wireId)?.meta?.each !== undefined
  }

  #answer(context: CallContext, status: Status, value: unknown): void {
    if (!this.#running.delete(context.wireId)) return
    if (context.waits > 0) this.#parked--
    const now = this.#endedAt = monotonic()
    const { clock } = context
    this.#report(context.wireId, status, value, clock === undefined ? now - context.startedAt : clock.end(now), now)
    this.#memory?.look()
    this.#next()
  }

  #report(wireId: number, status: Status, value: unknown, ran: number, now: number): void {
    this.#outcomes.add(wireId, status, value, ran, this.#waiting.length === 0, now)
  }

  #interrupt(wireId: number, grace: number | undefined, record: ErrorRecord | undefined): void {
    const running = this.#running.get(wireId)
    if (running !== undefined) return running.ask(grace, record && { record })
    const index = this.#waiting.findIndex((call) => call.wireId === wireId)
    if (index < 0) return
    this.#waiting.splice(index, 1)
    this.#report(wireId, Status.Interrupted, undefined, 0, monotonic())
  }

  #endWhenIdle(): void {
    if (!this.#stopping || this.#running.size > 0 || this.#waiting.length > 0) return
    this.#outcomes.flush()
    this.#memory?.end()
    void this.#end()
  }

  async #end(): Promise<void> {
    if (this.#ending) return
    this.#ending = true
    try {
      await closeLayers(this)
    } catch {
      // A finalizer that fails does not keep the worker.
    }
    this.#port.end()
  }
}
