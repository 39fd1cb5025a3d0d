/**
 * Keeps an executor from starting workers where every worker would create it again.
 *
 * ```
 * free                                        created in the program itself, or by a running task
 * held ──▶ free                               created while a worker starts or loads a module; free once a task uses it
 * ```
 */
import type { InvalidStateError } from "../ExecutorError.ts"
import { infoOf } from "../Task.ts"
import { isInitializing } from "../worker/context.ts"
import { createdInWorker } from "../worker/load.ts"
import { isOutsideOfTask, noteRefusal, notify } from "../worker/realm.ts"
import type { Engine } from "./Engine.ts"

export class Hold {
  readonly #engine: Engine
  /** Whether nothing may be started yet. */
  isHeld: boolean

  constructor(engine: Engine) {
    this.#engine = engine
    this.isHeld = engine.startsWorkers && (isOutsideOfTask() || isInitializing())
    const { minWorkers, name } = engine.options
    if (this.isHeld && minWorkers > 0 && isOutsideOfTask()) notify(createdInWorker(name).message)
  }

  /** A call is submitted. Returns why it is refused, or frees the executor because a task uses it. */
  use(): InvalidStateError | undefined {
    const { initializer, name } = this.#engine.options
    // An initializer that uses an executor with an initializer could start workers without end.
    const endless = isOutsideOfTask() || (isInitializing() && infoOf(initializer?.[0]) !== undefined)
    if (endless) {
      const error = createdInWorker(name)
      noteRefusal(error)
      return error
    }
    if (isInitializing()) return undefined
    this.isHeld = false
    return undefined
  }
}
