/** Tasks that replace the timers of their worker, as a mock clock does. */
import { Task } from "@futures/core"
import { holdTimers } from "./heldTimers.ts"
import type { HeldTimers } from "./heldTimers.ts"

let held: HeldTimers | undefined

export const { holdWorkersTimers, releaseWorkersTimers } = Task.module(import.meta, {
  holdWorkersTimers: (): void => {
    held = holdTimers()
  },
  releaseWorkersTimers: (): void => {
    held?.release()
    held = undefined
  }
})
