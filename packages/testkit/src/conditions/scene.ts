/** What the rows of the condition grid share: what an operation is performed with, and how its outcome is looked at. */
import assert from "node:assert/strict"
import type { Notebook, Trial } from "../Trial.ts"
import type { Operation, Performed, Stage } from "./operations.ts"

/** A run time-out: longer than a run of a task, shorter than a standstill (ms). */
export const TIMEOUT_MS = 500

export interface Scene {
  readonly notebook: Notebook
  readonly stage: Stage
  /** Resolves when a task has said that it is time. */
  readonly cue: Promise<void>
}

/** Prepares what an operation needs. */
export const scene = async (
  trial: Trial,
  timeout: number | undefined,
  onResult: () => void = () => {}
): Promise<Scene> => {
  const [signals, notebook] = [await trial.signals(), trial.notebook()]
  const word = signals.word()
  return {
    notebook,
    stage: { path: notebook.path, port: signals.port, word, timeout, onResult },
    cue: signals.heard(word)
  }
}

/** That it came out as it must, and that each run happened once. */
export const verify = (
  { expected, runs }: Operation,
  notebook: Notebook,
  { forced, losses, outcome }: Performed
): Performed => {
  const noted = notebook.lines().map((line) => line.slice(line.indexOf(" ") + 1))
  assert.deepEqual({ outcome, runs: noted.toSorted(), losses, forced }, {
    outcome: expected,
    runs: runs.toSorted(),
    losses: [],
    forced: 0
  })
  return { forced, losses, outcome }
}
