/**
 * Runs a task's Effect as a fiber: interrupting the call interrupts the fiber, and its finalizers run. The layer of a task module is built once, by the
 * first call that needs it, and lives as long as the worker.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { scheduler } from "../effectScheduler.ts"
import { Status } from "../wire/frames.ts"
import type { CallContext, CallHost } from "./CallContext.ts"
import type { EffectOutcome } from "./effects.ts"
import { TypedFailure } from "./generate.ts"
import { currentExecutor } from "./nested.ts"
import type { TaskSettings } from "./registry.ts"

/** The service key of `Executor`, by its name: the class itself would bring the engine. */
const executorKey = Context.Service<unknown>("@futures/core/Executor")

/** The layers that a worker has built, by themselves, and the scope in which they live. */
interface Layers {
  readonly scope: Scope.Closeable
  readonly built: Map<unknown, Promise<Context.Context<never>>>
}

const layers = new WeakMap<CallHost, Layers>()

const servicesOf = async ({ layer }: TaskSettings, host: CallHost): Promise<Context.Context<never>> => {
  if (layer === undefined) return Context.empty()
  let own = layers.get(host)
  if (own === undefined) layers.set(host, own = { scope: Scope.makeUnsafe("parallel"), built: new Map() })
  const { built, scope } = own
  let services = built.get(layer)
  if (services === undefined) {
    services = Effect.runPromise(Layer.buildWithScope(layer as Layer.Layer<never>, scope), { scheduler })
    built.set(layer, services)
    // One that failed is built anew by the next call.
    services.catch(() => built.delete(layer))
  }
  return services
}

export const closeLayers = async (host: CallHost): Promise<void> => {
  const own = layers.get(host)
  if (own !== undefined) await Effect.runPromise(Scope.close(own.scope, Exit.void), { scheduler })
}

const provided = async <A, E>(
  effect: Effect.Effect<A, E, unknown>,
  settings: TaskSettings,
  host: CallHost
): Promise<Effect.Effect<A, E>> => {
  const services = await servicesOf(settings, host)
  return effect.pipe(
    Effect.provideService(executorKey, currentExecutor()),
    Effect.provide(services)
  ) as Effect.Effect<A, E>
}

/** Makes the caller's span the parent of the task's, and its log annotations theirs. */
const withTrace = <A, E, R>(effect: Effect.Effect<A, E, R>, { trace }: CallContext): Effect.Effect<A, E, R> => {
  if (trace === undefined) return effect
  const { annotations, span } = trace
  const annotated = Effect.annotateLogs(effect, annotations)
  return span === undefined ? annotated : Effect.withParentSpan(annotated, Tracer.externalSpan(span))
}

const outcomeOf = (cause: Cause.Cause<unknown>): EffectOutcome => {
  const failure = cause.reasons.find((reason) => reason._tag === "Fail")
  if (failure !== undefined) return { status: Status.Failed, value: failure.error }
  if (Cause.hasInterruptsOnly(cause)) return { status: Status.Interrupted, value: undefined }
  const defect = cause.reasons.find((reason) => reason._tag === "Die")
  return { status: Status.Threw, value: defect?.defect }
}

export const runEffect = async (
  effect: Effect.Effect<unknown, unknown, unknown>,
  context: CallContext,
  settings: TaskSettings
): Promise<EffectOutcome> => {
  const exit = await Effect.runPromiseExit(await provided(withTrace(effect, context), settings, context.host), {
    scheduler,
    signal: context.signal
  })
  return Exit.isSuccess(exit) ? { status: Status.Succeeded, value: exit.value } : outcomeOf(exit.cause)
}

export const streamIterator = async (
  stream: Stream.Stream<unknown, unknown, unknown>,
  context: CallContext,
  settings: TaskSettings
): Promise<AsyncIterator<unknown>> => {
  const typed = Stream.mapError(stream, (error) => new TypedFailure(error))
  const iterable = await Effect.runPromise(
    await provided(withTrace(Stream.toAsyncIterableEffect(typed), context), settings, context.host),
    { scheduler }
  )
  return iterable[Symbol.asyncIterator]()
}
