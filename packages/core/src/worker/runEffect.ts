/** Runs a task's Effect as a fiber: interrupting the call interrupts the fiber, and its finalizers run. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { Status } from "../wire/frames.ts"
import type { TaskContext } from "./context.ts"
import type { EffectOutcome } from "./effects.ts"

export const runEffect = async (
  effect: Effect.Effect<unknown, unknown>,
  context: TaskContext
): Promise<EffectOutcome> => {
  const exit = await Effect.runPromiseExit(effect, { signal: context.signal })
  if (exit._tag === "Success") return { status: Status.Succeeded, value: exit.value }
  const failure = exit.cause.reasons.find((reason) => reason._tag === "Fail")
  if (failure !== undefined) return { status: Status.Failed, value: failure.error }
  if (Cause.hasInterruptsOnly(exit.cause)) return { status: Status.Interrupted, value: undefined }
  const defect = exit.cause.reasons.find((reason) => reason._tag === "Die")
  return { status: Status.Threw, value: defect?.defect }
}
