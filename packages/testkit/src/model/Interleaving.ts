/** One history of an engine, its workers, and what was done to them; it looks at what must be true at any time, and at the end. */
import { CancelledError, ExecutorShutdownError, NotPortableError, WorkerLostError } from "@futures/core"
import type { Executor, ExecutorOptions, Future } from "@futures/core"
import type { Backend } from "@futures/core/Backend"
import assert from "node:assert/strict"
import { isError, turn } from "../expect.ts"
import { add, asynchronous, identity } from "../tasks.ts"
import { throwValue } from "../tasksErrors.ts"
import { untilAsked } from "../tasksModel.ts"
import { memory, memoryExecutor } from "./memory.ts"
import type { Deliver, Memory, MemoryWorker } from "./memory.ts"

export type Fate = "succeed" | "succeed later" | "throw" | "throw nothing" | "until asked" | "argument"

/** What the caller does, or what befalls it. Numbers point at one of the calls, workers and frames that there are by then. */
export type Step =
  | { readonly do: "submit"; readonly fate: Fate }
  | { readonly do: "cancel" | "interrupt"; readonly call: number }
  | { readonly do: "shutdown" }
  | { readonly do: "crash"; readonly worker: number }
  | { readonly do: "repeat"; readonly worker: number; readonly frame: number; readonly to: number }
  | { readonly do: "nonsense" | "misshapen"; readonly worker: number; readonly frame: Nonsense }

/** A frame that means nothing: any value, or one with the header that the worker's frames have. */
type Nonsense = { readonly anything: unknown } | { readonly kind: unknown; readonly body: ReadonlyArray<unknown> }

interface Call {
  readonly fate: Fate
  readonly future: Future<unknown, unknown>
  /** Its latest state that was looked at. */
  seen: string
  /** How often it said that it is done. */
  told: number
  /** Whether it was cancelled or interrupted before it had settled. */
  stopped: boolean
}

/** One history: an executor, its workers, and what was done to them. */
export class Interleaving {
  readonly #memory: Memory
  readonly #executor: Executor
  readonly #maxWorkers: number
  /** Calls that may run at a time. */
  readonly #slots: number
  readonly #calls: Array<Call> = []
  readonly #stops: Array<Promise<void>> = []
  /** Calls handed in after the end, which are refused. */
  #shut = false
  #crashed = false
  /** Frames that belonged to nothing, as far as we sent them. */
  #stray = 0

  constructor(deliver: Deliver, settings: ExecutorOptions, plant: (backend: Backend) => Backend) {
    this.#memory = memory(deliver)
    this.#executor = new (memoryExecutor(plant(this.#memory.backend)))(settings)
    this.#maxWorkers = settings.maxWorkers!
    this.#slots = settings.maxWorkers! * (settings.concurrency ?? 1)
  }

  readonly take = (step: Step): void => {
    switch (step.do) {
      case "submit":
        this.#submit(step.fate)
        break
      case "cancel":
      case "interrupt":
        this.#stop(step.do, pick(this.#calls, step.call))
        break
      case "shutdown":
        this.#shut = true
        void this.#executor.shutdown()
        break
      case "crash":
        // One that never came up is tried again after a pause: no matter of order.
        this.#crashed = true
        pick(this.#ready(), step.worker)?.crash()
        break
      case "repeat": {
        const frame = pick(pick(this.#memory.workers, step.worker)?.heard ?? [], step.frame)
        if (frame !== undefined) this.#tell(pick(this.#ready(), step.to), frame)
        break
      }
      case "nonsense":
      case "misshapen": {
        const worker = pick(this.#ready(), step.worker)
        const { frame } = step
        // A worker that says what no worker says is ended.
        if (step.do === "misshapen") this.#crashed = true
        if ("anything" in frame) this.#tell(worker, frame.anything)
        else if (worker !== undefined) this.#tell(worker, [frame.kind, ...worker.heard[0]!.slice(1, 3), ...frame.body])
      }
    }
    this.#balances()
  }

  /** Lets everything end, and looks at how it ended. */
  async end(): Promise<void> {
    for (const { fate: way, future } of this.#calls) {
      if (way === "until asked") this.#stop("interrupt", this.#calls.find((call) => call.future === future))
    }
    await Promise.all(this.#calls.map(({ future }) => future.wait()))
    await Promise.all(this.#stops)
    const states = this.#calls.map(({ future }) => future.state)
    for (const [index, call] of this.#calls.entries()) await this.#ownOutcome(call, index)
    await this.#executor.shutdown()
    await turn()
    this.#balances()
    assert.deepEqual(
      this.#calls.map(({ future }) => future.state),
      states,
      "a future never changes once it has settled"
    )
    assert.deepEqual(this.#calls.map(({ told }) => told), this.#calls.map(() => 1), "each is done once")
    const { strayFrames, pending, running, workers } = this.#executor.stats()
    assert.deepEqual({ pending, running, workers }, { pending: 0, running: 0, workers: 0 })
    assert.ok(this.#memory.workers.every(({ lives }) => !lives), "no worker is left")
    // That a worker is ready may come when it is no longer wanted: of those that answered no call, each may have said so too late.
    const late = this.#memory.workers.filter(({ heard }) => heard.length === 1).length
    assert.ok(
      strayFrames >= this.#stray && strayFrames <= this.#stray + late,
      `${strayFrames} stray frames, and ${this.#stray} belonged to nothing`
    )
  }

  /** Ends by force what did not end by itself. */
  abandon(): Promise<void> {
    return this.#executor.terminate()
  }

  describe(): string {
    return this.#calls.map(({ fate: way, future }) => `${way}: ${future.state}`).join(", ")
  }

  #submit(way: Fate): void {
    const index = this.#calls.length
    const future = submitFor(this.#executor, way, index)
    const call: Call = { fate: way, future, seen: future.state, told: 0, stopped: false }
    if (this.#shut) assert.equal(future.state, "failed")
    future.onDone(() => call.told++)
    this.#calls.push(call)
  }

  #stop(how: "cancel" | "interrupt", call: Call | undefined): void {
    if (call === undefined) return
    const { state } = call.future
    if (how === "cancel") {
      const answer = call.future.cancel()
      // A pending call may have been started by a worker whose earlier outcome is still on its way.
      assert.ok(answer ? state === "pending" || state === "cancelled" : state !== "cancelled")
      call.stopped ||= answer
    } else {
      const stopped = !call.future.done()
      call.stopped ||= stopped
      this.#stops.push(call.future.interrupt().then((answer) => assert.equal(answer, stopped)))
    }
  }

  /** What belongs to nothing is discarded, counted, and reaches no future. */
  #tell(worker: MemoryWorker | undefined, frame: unknown): void {
    if (worker === undefined) return
    const look = (): unknown => this.#calls.map(({ future }) => future.state)
    const [states, { strayFrames }] = [look(), this.#executor.stats()]
    worker.tell(frame as never)
    const more = this.#executor.stats().strayFrames - strayFrames
    assert.ok(more > 0, "what belongs to nothing is counted")
    assert.deepEqual(look(), states, "what belongs to nothing reaches no future")
    this.#stray += more
  }

  /** Workers that have come up. */
  #ready(): Array<MemoryWorker> {
    return this.#memory.workers.filter(({ heard, lives }) => lives && heard.length > 0)
  }

  #balances(): void {
    const { cancelled, failed, pending, running, succeeded, workers } = this.#executor.stats()
    const counts: Record<string, number> = { cancelled: 0, failed: 0, pending: 0, running: 0, succeeded: 0 }
    for (const call of this.#calls) {
      const { state } = call.future
      counts[state]!++
      // Only the end of a worker brings a call back that was sent to it.
      assert.ok(call.seen !== "running" || state !== "pending" || this.#crashed, "a running call is not pending again")
      call.seen = state
    }
    assert.ok(running <= this.#slots, `${running} calls are running`)
    assert.deepEqual({ cancelled, failed, pending, running, succeeded }, counts)
    assert.ok(workers <= this.#maxWorkers, `${workers} workers`)
  }

  async #ownOutcome({ fate: way, future, stopped }: Call, index: number): Promise<void> {
    const outcome = await future.result().then((value) => ({ value }), (error: unknown) => ({ error }))
    const error = "error" in outcome ? outcome.error : undefined
    if (stopped) isError(error, CancelledError)
    else if (error instanceof WorkerLostError) assert.ok(this.#crashed, "lost, and no worker died")
    else if (error instanceof ExecutorShutdownError) assert.ok(this.#shut, "refused, and nobody ended the executor")
    else if (way === "argument") isError(error, NotPortableError)
    else if (way === "throw") assert.deepEqual(outcome, { error: index })
    else if (way === "throw nothing") assert.deepEqual(outcome, { error: undefined })
    else assert.deepEqual(outcome, { value: index })
  }
}

const submitFor = (executor: Executor, way: Fate, index: number): Future<unknown, unknown> => {
  switch (way) {
    case "succeed":
      return executor.submit(add, index, 0)
    case "succeed later":
      return executor.submit(asynchronous, index)
    case "throw":
      return executor.submit(throwValue, index)
    case "throw nothing":
      return executor.submit(throwValue, undefined)
    case "until asked":
      return executor.submit(untilAsked, index)
    case "argument":
      return executor.submit(identity, () => index)
  }
}

/** One of those that there are, whatever the number. */
const pick = <A>(all: ReadonlyArray<A>, number: number): A | undefined => all[number % all.length]
