/**
 * Tasks that return an Effect or a Stream. Effect is imported by the first such task, never before: a worker whose tasks do without it stays small.
 */
import type { Status } from "../wire/frames.ts"
import type { CallContext, CallHost } from "./CallContext.ts"
import type { TaskSettings } from "./registry.ts"

/** Effect's own marks, so that no import is needed to recognise its values. */
const effectTypeId = "~effect/Effect"
const streamTypeId = "~effect/Stream"

const has = (value: unknown, mark: string): boolean =>
  (typeof value === "object" || typeof value === "function") && value !== null && mark in value

export const isEffect = (value: unknown): boolean => has(value, effectTypeId)
export const isStream = (value: unknown): boolean => has(value, streamTypeId)

/** How an Effect ended: its value, its typed failure, its defect, or that it was interrupted. */
export interface EffectOutcome {
  readonly status: Status
  readonly value: unknown
}

let loaded: Promise<typeof import("./runEffect.ts")> | undefined
const load = (): Promise<typeof import("./runEffect.ts")> => loaded ??= import("./runEffect.ts")

/** Called in the call's own context, so that `Task.current()` answers within the fiber. */
export const runEffect = (effect: unknown, context: CallContext, settings: TaskSettings): Promise<EffectOutcome> =>
  load().then((effects) => effects.runEffect(effect as never, context, settings))

export const streamIterator = (
  stream: unknown,
  context: CallContext,
  settings: TaskSettings
): Promise<AsyncIterator<unknown>> =>
  load().then((effects) => effects.streamIterator(stream as never, context, settings))

/** Releases what layers of task modules hold; does nothing in a worker that ran no Effect. */
export const closeLayers = async (host: CallHost): Promise<void> => {
  if (loaded !== undefined) await (await loaded).closeLayers(host)
}
