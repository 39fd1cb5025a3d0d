/**
 * Spans of calls that are handed in from an Effect, for a tracer that goes somewhere.
 *
 * ```
 * the caller's span
 *   submit fib            from the hand-in to the outcome
 *     queue fib           until a worker takes it; again when it comes back
 *     run fib             each attempt, until its answer is here; the parent of the spans that the task's Effect makes
 * ```
 *
 * All are made here, by the caller's tracer: a worker needs no exporter for them, and for a task that is no Effect there is nothing to load.
 */
import { Clock } from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { State } from "./engine/Call.ts"
import type { Caller, CallSpans } from "./engine/CallForm.ts"
import { effectError } from "./engine/Failure.ts"
import type { Failure } from "./engine/Failure.ts"
import type { FutureCell } from "./engine/FutureCell.ts"
import type { CallTrace } from "./wire/frames.ts"

/** What spans say of their executor. */
export interface Tracing {
  readonly name: string
  /** Whether calls are queued by the other side, which then knows when they run. */
  readonly remote: boolean
}

type AnyFiber = Fiber.Fiber<unknown, unknown>

/** What goes along with the calls of an Effect; nothing when it has nothing to tell. */
export const callerOf = (fiber: AnyFiber, tracing: Tracing | undefined): Caller => {
  if (tracing === undefined) return nobody
  const { span } = fiber.cache
  const annotations = fiber.getRef(References.CurrentLogAnnotations)
  const traced = isTraced(fiber)
  if (!traced && span === undefined && Object.keys(annotations).length === 0) return nobody
  const trace: CallTrace = { span: span === undefined ? undefined : idsOf(span), annotations }
  return { trace, spans: traced ? new Spans(fiber, tracing, trace) : undefined }
}

const nobody: Caller = {}

/** Whether spans go anywhere: Effect's own tracer, which is there when no other is, keeps them for nobody. */
const isTraced = ({ cache: { tracer, tracerEnabled } }: AnyFiber): boolean =>
  tracerEnabled && tracer !== undefined && tracer !== Tracer.nativeTracer

const idsOf = ({ sampled, spanId, traceId }: Tracer.AnySpan): NonNullable<CallTrace["span"]> => ({
  traceId,
  spanId,
  sampled
})

interface Open {
  readonly submit: Tracer.Span
  /** `queue` or `run`, whichever it is in. */
  part: Tracer.Span | undefined
}

class Spans implements CallSpans {
  readonly #context: Context.Context<never>
  readonly #tracer: Tracer.Tracer
  readonly #clock: Clock
  readonly #tracing: Tracing
  readonly #trace: CallTrace
  readonly #open = new Map<FutureCell, Open>()

  constructor(fiber: AnyFiber, tracing: Tracing, trace: CallTrace) {
    this.#context = fiber.context as Context.Context<never>
    this.#tracer = fiber.cache.tracer!
    this.#clock = fiber.getRef(Clock)
    this.#tracing = tracing
    this.#trace = trace
  }

  submitted(cell: FutureCell): void {
    const { definition: { name }, options } = cell.task
    const attributes = {
      "code.function.name": name,
      "futures.executor.name": this.#tracing.name,
      "futures.call.id": cell.id,
      ...(options?.label === undefined ? {} : { "futures.call.label": options.label })
    }
    const submit = Effect.runSyncWith(this.#context)(Effect.makeSpan(`submit ${name}`, { attributes }))
    const part = this.#tracing.remote ? undefined : this.#part(submit, `queue ${name}`)
    this.#open.set(cell, { submit, part })
    cell.observe(() => this.#settled(cell))
  }

  handedOver(cell: FutureCell): CallTrace {
    const open = this.#open.get(cell)!
    if (!this.#tracing.remote) {
      this.#end(open.part, Exit.void)
      open.part = this.#part(open.submit, `run ${cell.task.definition.name}`)
    }
    return { ...this.#trace, span: idsOf(open.part ?? open.submit) }
  }

  started(cell: FutureCell): void {
    const part = this.#open.get(cell)?.part
    part?.attribute("futures.worker.id", cell.workerId)
    part?.attribute("futures.call.attempt", cell.attempt)
  }

  cameBack(cell: FutureCell, failure: Failure | undefined): void {
    const open = this.#open.get(cell)!
    this.#end(open.part, failure === undefined ? Exit.interrupt() : Exit.fail(effectError(failure, cell.label)))
    open.part = this.#part(open.submit, `queue ${cell.task.definition.name}`)
  }

  #settled(cell: FutureCell): void {
    const { part, submit } = this.#open.get(cell)!
    this.#open.delete(cell)
    const exit = cell.code === State.Succeeded
      ? Exit.void
      : cell.code === State.Cancelled
      ? Exit.interrupt()
      : Exit.fail(effectError(cell.failure, cell.label))
    this.#end(part, exit)
    this.#end(submit, exit)
  }

  #part(submit: Tracer.Span, name: string): Tracer.Span {
    return this.#tracer.span({
      name,
      parent: Option.some(submit),
      annotations: submit.annotations,
      links: [],
      startTime: this.#clock.currentTimeNanosUnsafe(),
      kind: "internal",
      root: false,
      sampled: submit.sampled
    })
  }

  #end(span: Tracer.Span | undefined, exit: Exit.Exit<unknown, unknown>): void {
    span?.end(this.#clock.currentTimeNanosUnsafe(), exit)
  }
}
