/** One executor and what was done to it: the real side of a model. It checks what can be seen at any time, and at the end that all is as the model allows. */
import { CancelledError, ExecutorShutdownError, NotPortableError, WorkerLostError } from "@futures/core"
import type { Executor, ExecutorOptions, Future, FutureState } from "@futures/core"
import assert from "node:assert/strict"
import { turn } from "../expect.ts"
import type { Signals } from "../Signals.ts"
import { identity } from "../tasks.ts"
import { crash, fail, hang, hangOn, quick, slow } from "../tasksModel.ts"
import type { Noted } from "../tasksModel.ts"
import type { Notebook, Trial } from "../Trial.ts"
import type { Ending, Kind, Model, ModelCall } from "./Model.ts"

/** How an executor of a history is set. */
export interface Settings extends ExecutorOptions {
  readonly maxWorkers: number
  readonly concurrency: number
  readonly maxTasksPerWorker: number | undefined
}

interface Call {
  readonly model: ModelCall
  readonly future: Future<unknown, unknown>
  readonly noted: Noted
  /** What it was when it was last looked at. */
  seen: FutureState
  told: number
}

const SETTLED: ReadonlySet<FutureState> = new Set(["succeeded", "failed", "cancelled"])

export class History {
  readonly model: Model
  readonly #executor: Executor
  readonly #settings: Settings
  readonly #signals: Signals
  readonly #notebook: Notebook
  readonly calls: Array<Call> = []
  /** Maps that are being read. */
  readonly #maps: Array<{ readonly close: () => Promise<unknown>; readonly read: Promise<void> }> = []
  /** What was asked for and must come true. */
  readonly #promises: Array<Promise<unknown>> = []
  /** Calls so far, those of maps included: in this order they were handed in. */
  #handedIn: Array<string> = []
  #mapped = 0
  /** Whether the executor was told to end. */
  #over = false

  constructor(trial: Trial, signals: Signals, settings: Settings, model: Model) {
    this.model = model
    this.#settings = settings
    this.#signals = signals
    this.#notebook = trial.notebook()
    this.#executor = trial.open(settings)
  }

  submit(kind: Kind): void {
    const model = this.model.submit(kind)
    const noted = this.#next()
    const future = submitFor(this.#executor, kind, noted)
    const call: Call = { model, future, noted, seen: future.state, told: 0 }
    future.onDone(() => call.told++)
    this.calls.push(call)
  }

  /** Begins to read a map of quick calls, and leaves it after so many. */
  map(items: number, taken: number): void {
    const results = this.#executor.mapSettled(
      quick,
      this.#items(items),
      { chunkSize: 1 }
    )
    const read = async (): Promise<void> => {
      for (let step = 0; step < taken; step++) {
        const next = await results.next()
        if (next.done === true) return
        const { value } = next
        if (value.status === "fulfilled") assert.match(String(value.value), /^word-\d+$/)
        else if (value.reason instanceof WorkerLostError) assert.ok(this.model.allows(anyCall, "lost"))
        else {assert.ok(
            value.reason instanceof CancelledError || value.reason instanceof ExecutorShutdownError,
            String(value.reason)
          )}
      }
      await results.return?.()
    }
    const isOver = this.model.over
    const reading = read().catch((error: unknown) => {
      // A map that begins when the executor has ended says so once.
      if (!isOver || !(error instanceof ExecutorShutdownError)) throw error
    })
    this.#maps.push({ close: async () => await results.return?.(), read: reading })
  }

  *#items(count: number): Generator<Noted> {
    for (let item = 0; item < count; item++) {
      this.#mapped++
      yield this.#next()
    }
  }

  closeMap(index: number): void {
    this.#promises.push(this.#maps[index]!.close())
  }

  cancel({ future, model }: Call): void {
    const { state } = future
    const answer = future.cancel()
    // A worker may have it in hand, and may start it any moment: then nothing has changed.
    if (state === "pending" && !answer) return
    assert.equal(answer, this.model.cancel(model, state), "what cancel() returns")
  }

  interrupt({ future, model }: Call): void {
    const expected = this.model.interrupt(model, future.state)
    // Whoever comes back when asked is given the time, on a slow machine too; a neighbour would be lost with the worker.
    const grace = model.kind === "hang on" ? 20 : "15 seconds"
    this.#promises.push(
      future.interrupt({ grace }).then((answer) => assert.equal(answer, expected, "what interrupt() answers"))
    )
  }

  release({ model, noted }: Call): void {
    model.held = false
    this.#signals.release(noted.word)
  }

  /** Waits for a call: whatever was handed in before it must not hold it up. */
  async settle(call: Call): Promise<void> {
    for (const earlier of this.calls) {
      if (earlier.model.held) this.release(earlier)
      if (earlier === call) break
    }
    await call.future.wait()
  }

  end(how: "wait" | "cancel pending" | "terminate"): void {
    this.#over = true
    this.model.end(how, this.calls.map(({ future }) => future.state))
    this.#promises.push(
      how === "terminate" ? this.#executor.terminate() : this.#executor.shutdown({ cancelPending: how !== "wait" })
    )
  }

  /** What is true at any time. */
  look(): void {
    const { cancelled, strayFrames, failed, pending, running, succeeded, workers } = this.#executor.stats()
    const { concurrency, maxWorkers } = this.#settings
    assert.equal(
      succeeded + failed + cancelled + pending + running,
      this.calls.length + this.#mapped,
      "what was handed in is somewhere"
    )
    const counts: Record<FutureState, number> = { pending: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 }
    for (const call of this.calls) {
      const { state } = call.future
      counts[state]++
      if (SETTLED.has(call.seen)) assert.equal(state, call.seen, "a future never changes once it has settled")
      call.seen = state
    }
    const all: typeof counts = { pending, running, succeeded, failed, cancelled }
    for (const state of Object.keys(counts) as Array<FutureState>) {
      if (this.#mapped === 0) assert.equal(all[state], counts[state], `stats().${state}`)
      else assert.ok(all[state] >= counts[state], `stats().${state}`)
    }
    assert.ok(workers <= maxWorkers, `${workers} workers`)
    assert.ok(running <= maxWorkers * concurrency, `${running} calls are running`)
    assert.ok(this.#begun() <= maxWorkers * concurrency, `${this.#begun()} calls run at a time`)
    // Workers that were still starting may say that they are ready when nobody wants them any more.
    assert.ok(strayFrames <= (this.#over ? maxWorkers : 0), "nobody answers what was not asked")
  }

  /** Calls that run for certain: they have begun, and nobody let them go. A future may say that it runs while its call is in its worker's hands. */
  #begun(): number {
    const held = this.calls.filter(({ future, model }) => model.held && !future.done())
    if (held.length === 0) return 0
    const lines = new Set(this.#notebook.lines())
    return held.filter(({ noted }) => lines.has(noted.word)).length
  }

  /** Lets everything end. */
  async finish(): Promise<void> {
    for (const call of this.calls) this.release(call)
    await Promise.all(this.calls.map(({ future }) => future.wait()))
    await Promise.all(this.#maps.map(({ read }) => read))
    await Promise.all(this.#promises)
    this.look()
    for (const call of this.calls) await this.#hasEnded(call)
    this.#over = true
    await this.#executor.shutdown()
    await turn()
    this.look()
    assert.deepEqual(this.calls.map(({ told }) => told), this.calls.map(() => 1), "each is done once")
    const { pending, running, workers } = this.#executor.stats()
    assert.deepEqual({ pending, running, workers }, { pending: 0, running: 0, workers: 0 }, "what is left")
    this.#isWritten()
  }

  /** Ends what did not end by itself. */
  abandon(): Promise<void> {
    for (const call of this.calls) this.release(call)
    return this.#executor.terminate()
  }

  describe(): string {
    const calls = this.calls.map(({ future, model, noted }) => `${model.kind} (${noted.word}) is ${future.state}`)
    return `${calls.join(", ")}; ${JSON.stringify(this.#executor.stats())}`
  }

  async #hasEnded({ future, model, noted }: Call): Promise<void> {
    const ending = await future.result().then(
      (value): Ending => {
        assert.equal(value, noted.word, "its own result")
        return "succeeded"
      },
      (error: unknown) => endingOf(error, noted.word)
    )
    assert.ok(
      this.model.allows(model, ending),
      `${model.kind} (${noted.word}) has ended as ${ending}; allowed: ${[...model.allowed].join(", ")}`
    )
  }

  /** Nothing ran twice, nor what must not run, nor out of turn. */
  #isWritten(): void {
    const lines = this.#notebook.lines()
    assert.deepEqual(lines, [...new Set(lines)], "each runs at most once")
    const written = new Set(lines)
    for (const { future, model, noted } of this.calls) {
      const ran = written.has(noted.word)
      if (model.begins === "never") assert.ok(!ran, `${noted.word} ran`)
      else if (future.state === "succeeded") assert.ok(ran, `${noted.word} never ran`)
    }
    if (this.#settings.maxWorkers * this.#settings.concurrency > 1) return
    assert.deepEqual(lines, this.#handedIn.filter((word) => written.has(word)), "first in, first out")
  }

  #next(): Noted {
    const word = this.#signals.word()
    this.#handedIn.push(word)
    return { path: this.#notebook.path, word, port: this.#signals.port }
  }
}

/** A call of a map: nobody meddles with it alone. */
const anyCall: ModelCall = { kind: "quick", held: false, allowed: new Set(["succeeded"]), begins: "always" }

const submitFor = (executor: Executor, kind: Kind, noted: Noted): Future<unknown, unknown> => {
  switch (kind) {
    case "quick":
      return executor.submit(quick, noted)
    case "slow":
      return executor.submit(slow, noted)
    case "fail":
      return executor.submit(fail, noted)
    case "hang":
      return executor.submit(hang, noted)
    case "hang on":
      return executor.submit(hangOn, noted)
    case "crash":
      return executor.submit(crash, noted)
    case "argument":
      return executor.submit(identity, () => noted)
  }
}

const endingOf = (error: unknown, word: string): Ending => {
  if (error instanceof CancelledError) return "cancelled"
  if (error instanceof WorkerLostError) return "lost"
  if (error instanceof NotPortableError) return "not portable"
  if (error instanceof ExecutorShutdownError) return "shut down"
  assert.equal(error, word, "its own error")
  return "failed"
}
