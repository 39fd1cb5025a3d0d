/** An executor in a soak, and what of it has not settled. Whatever has is looked at once, and forgotten: the books are all that grows. */
import { CancelledError, ExecutorShutdownError, QueueFullError, WorkerLostError } from "@futures/core"
import type { Executor, ExecutorClass, Future } from "@futures/core"
import assert from "node:assert/strict"
import { endingOf } from "./kinds.ts"
import type { Ending, Kind } from "./kinds.ts"
import type { Ledger } from "./Ledger.ts"
import type { End, Round, Step } from "./plan.ts"
import { answer } from "./tasks.ts"
import type { Noted } from "./tasks.ts"

interface Call {
  readonly kind: Kind
  readonly noted: Noted
  readonly future: Future<unknown, unknown>
  /** Whether somebody asked it to stop. */
  asked: boolean
  told: boolean
}

let words = 0

export class Soaked {
  readonly #executor: Executor
  readonly #options: Round["options"]
  readonly #ledger: Ledger
  /** Calls whose end has not been looked at. */
  readonly #open = new Set<Call>()
  readonly #promises = new Set<Promise<unknown>>()
  #lastId = 0
  #submitted = 0
  #mapped = 0
  readonly #ended = { succeeded: 0, failed: 0, cancelled: 0 }
  /** Whether calls may be lost with a neighbour. */
  #crowded: boolean
  /** Whether calls may be cancelled by the end. */
  #dropping = false
  #over = false

  constructor(Class: ExecutorClass, options: Round["options"], ledger: Ledger) {
    this.#options = options
    this.#ledger = ledger
    this.#crowded = options.concurrency > 1
    ledger.executors++
    this.#executor = new Class({
      ...options,
      onWorkerExit: ({ reason }) => {
        if (reason !== "stopped") ledger.crashes++
      }
    })
  }

  async take(step: Step, path: string): Promise<void> {
    switch (step.do) {
      case "submit":
        for (const kind of step.calls) this.#submit(kind, path)
        break
      case "cancel":
        this.#cancel(this.#pick(step.call))
        break
      case "interrupt":
        this.#interrupt(this.#pick(step.call))
        break
      case "map":
        this.#note(this.#map(step.items, step.taken, path))
        break
      case "wait":
        await new Promise((resolve) => step.millis === 0 ? setImmediate(resolve) : setTimeout(resolve, step.millis))
        break
      case "drain":
        await this.drain()
    }
    this.look()
  }

  #submit(kind: Kind, path: string): void {
    const noted: Noted = { path, word: `word-${++words}` }
    const future = kind.submit(this.#executor, noted)
    this.#submitted++
    assert.ok(future.info.id > this.#lastId, "no id twice")
    this.#lastId = future.info.id
    const call: Call = { kind, noted, future, asked: false, told: false }
    this.#open.add(call)
    future.onDone(() => {
      if (call.told) this.#ledger.twice++
      call.told = true
      this.#note(this.#settled(call))
    })
  }

  async #settled(call: Call): Promise<void> {
    const { future, kind, noted } = call
    const state = future.state as "succeeded" | "failed" | "cancelled"
    const ending = await endingOf(future, noted.word)
    assert.equal(future.state, state, "a future never changes once it has settled")
    assert.equal(state, ending === "succeeded" || ending === "cancelled" ? ending : "failed")
    assert.ok(this.#allows(call, ending), `A call that ${kind.name} (${noted.word}) has ended as ${ending}`)
    this.#open.delete(call)
    this.#ended[state]++
  }

  #allows({ asked, kind }: Call, ending: Ending): boolean {
    if (kind.ends.includes(ending)) return true
    switch (ending) {
      case "cancelled":
        return asked || this.#dropping
      case "lost":
        return this.#crowded
      case "poisoned":
        return this.#crowded && kind.name === "is tried again"
      case "refused":
        return this.#options.whenFull === "reject"
      default:
        return false
    }
  }

  #pick(number: number): Call | undefined {
    const open = [...this.#open].filter(({ told }) => !told)
    return open[number % open.length]
  }

  #cancel(call: Call | undefined): void {
    if (call === undefined) return
    const { future } = call
    const wasPending = future.state === "pending"
    const wasCancelled = future.state === "cancelled"
    const cancelled = future.cancel()
    call.asked ||= cancelled && !wasCancelled
    // A pending call that its worker holds already may not be taken back.
    assert.ok(cancelled ? wasPending || wasCancelled : !wasCancelled, "what cancel() answers")
    assert.equal(future.state === "cancelled", cancelled, "the state after cancel()")
  }

  #interrupt(call: Call | undefined): void {
    if (call === undefined) return
    call.asked = true
    this.#note(call.future.interrupt())
  }

  async #map(items: number, taken: number, path: string): Promise<void> {
    const results = this.#executor.mapSettled(answer, this.#items(items, path), { chunkSize: 1 })
    for (let step = 0; step < taken; step++) {
      const next = await results.next()
      if (next.done === true) return
      const { value } = next
      if (value.status === "fulfilled") assert.match(value.value, /^word-\d+$/)
      else if (value.reason instanceof WorkerLostError) assert.ok(this.#crowded, "an item of a map is lost alone")
      else if (value.reason instanceof CancelledError) assert.ok(this.#dropping, "nobody cancels an item of a map")
      else if (value.reason instanceof QueueFullError) assert.equal(this.#options.whenFull, "reject")
      else assert.ok(value.reason instanceof ExecutorShutdownError && this.#over, String(value.reason))
    }
    await results.return?.()
  }

  *#items(count: number, path: string): Generator<Noted> {
    for (let item = 0; item < count; item++) {
      this.#mapped++
      yield { path, word: `word-${++words}` }
    }
  }

  #note(promise: Promise<unknown>): void {
    const noted: Promise<unknown> = promise.catch((error: unknown) => this.#ledger.faults.push(error)).then(() =>
      this.#promises.delete(noted)
    )
    this.#promises.add(noted)
  }

  /** Waits until everything has settled; what would go on for ever is asked to stop. */
  async drain(): Promise<void> {
    for (const call of this.#open) if (call.kind.endless) this.#interrupt(call)
    while (this.#promises.size > 0 || [...this.#open].some(({ told }) => !told)) {
      await Promise.all([...this.#open].map(({ future }) => future.wait()))
      await Promise.all(this.#promises)
      if (this.#ledger.faults.length > 0) throw this.#ledger.faults[0]
    }
  }

  /** What is true at any time. */
  look(): void {
    if (this.#ledger.faults.length > 0) throw this.#ledger.faults[0]
    const { cancelled, failed, pending, running, succeeded, workers } = this.#executor.stats()
    const submitted = this.#submitted + this.#mapped
    assert.equal(succeeded + failed + cancelled + pending + running, submitted, "what was handed in is somewhere")
    assert.ok(workers <= this.#options.maxWorkers, `${workers} workers of ${this.#options.maxWorkers}`)
    this.#ledger.sawWorkers(workers, this.#options.maxWorkers)
  }

  /** Ends the executor, and enters it in the books. */
  async end(how: End): Promise<void> {
    if (how === "drain") await this.drain()
    else {
      // These wait for nothing, or for what is running: what would run for ever is stopped by us, or by the end itself.
      this.#dropping = how !== "shutdown"
      if (how === "shutdown" || how === "cancel pending") {
        for (const call of this.#open) if (call.kind.endless) this.#interrupt(call)
      }
    }
    this.#over = true
    await (how === "terminate"
      ? this.#executor.terminate()
      : this.#executor.shutdown({
        cancelPending: how === "cancel pending",
        ...how === "shutdown in time" ? { timeout: 20 } : {}
      }))
    await this.drain()
    this.look()
    const { cancelled, failed, pending, running, succeeded, workers } = this.#executor.stats()
    assert.deepEqual({ pending, running, workers }, { pending: 0, running: 0, workers: 0 }, "what is left")
    const ended = this.#ended
    assert.equal(ended.succeeded + ended.failed + ended.cancelled, this.#submitted, "each call was seen to end, once")
    if (this.#mapped === 0) assert.deepEqual({ cancelled, failed, succeeded }, { ...ended })
    const ledger = this.#ledger
    ledger.submitted += this.#submitted + this.#mapped
    ledger.succeeded += succeeded
    ledger.failed += failed
    ledger.cancelled += cancelled
    ledger.unsettled += pending + running
  }
}
