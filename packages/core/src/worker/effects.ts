/** Tasks that return an Effect. Effect is imported by the first such task, never before: a worker whose tasks do without it stays small. */
import type { Status } from "../wire/frames.ts"
import type { TaskContext } from "./context.ts"

/** Effect's own mark, so that no import is needed to recognise one. */
const effectTypeId = "~effect/Effect"

export const isEffect = (value: unknown): boolean =>
  (typeof value === "object" || typeof value === "function") && value !== null && effectTypeId in value

/** How an Effect ended: its value, its typed failure, its defect, or that it was interrupted. */
export interface EffectOutcome {
  readonly status: Status
  readonly value: unknown
}

export const runEffect = async (effect: unknown, context: TaskContext): Promise<EffectOutcome> =>
  (await import("./runEffect.ts")).runEffect(effect as never, context)
