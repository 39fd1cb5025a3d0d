/** Calls that run until a law lets them go: how laws look at an executor that is busy. */
import type { Executor, Future } from "@futures/core"
import { note } from "./tasks.ts"
import { waitFor } from "./tasksSignals.ts"
import type { failAfter } from "./tasksSignals.ts"
import type { Notebook, Trial } from "./Trial.ts"

/** A call that runs until it is released. */
export interface Held {
  readonly future: Future<string>
  /** What it answers with. */
  readonly word: string
  readonly release: () => void
}

/** Occupies an executor that runs one call at a time: whatever is handed in next is pending until the call is released. */
export const occupy = async (trial: Trial, executor: Executor = trial.single): Promise<Held> => {
  const signals = await trial.signals()
  const word = signals.word()
  const future = executor.submit(waitFor, signals.port, word)
  await signals.heard(word)
  return { future, word, release: () => signals.release(word) }
}

/** Calls that run at the same time, in an executor of their own. */
export const hold = async (
  trial: Trial,
  count: number,
  task: typeof waitFor | typeof failAfter = waitFor
): Promise<Array<Held>> => {
  const signals = await trial.signals()
  const executor = trial.open({ maxWorkers: 1, concurrency: count })
  const held = Array.from({ length: count }, (): Held => {
    const word = signals.word()
    const future = executor.submit(task as typeof waitFor, signals.port, word)
    return { future, word, release: () => signals.release(word) }
  })
  await Promise.all(held.map(({ word }) => signals.heard(word)))
  return held
}

/** An executor of its own with one call that runs, held, and three behind it that add a line to the notebook. */
export interface Busy {
  readonly executor: Executor
  readonly holder: Future<string>
  readonly waiting: ReadonlyArray<Future<string>>
  readonly notebook: Notebook
  readonly release: () => void
}

/** Keeps an executor of its own busy. */
export const busy = async (trial: Trial): Promise<Busy> => {
  const signals = await trial.signals()
  const executor = trial.open({ maxWorkers: 1 })
  const notebook = trial.notebook()
  const word = signals.word()
  const holder = executor.submit(waitFor, signals.port, word)
  const waiting = ["1", "2", "3"].map((line) => executor.submit(note, notebook.path, line))
  await signals.heard(word)
  return { executor, holder, waiting, notebook, release: () => signals.release(word) }
}
