/** Soaks as laws: each runs a program, since only a process of its own can tell what is left in it. */
import assert from "node:assert/strict"
import type { Origin } from "../faults/programs.ts"
import { law, laws } from "../Law.ts"
import type { LawSet } from "../Law.ts"
import { runProgram } from "../runProgram.ts"
import type { Capability } from "../Subject.ts"
import type { Trial } from "../Trial.ts"
import type { Asked } from "./program.ts"

/** Milliseconds of a soak, and how many executors are opened and closed, where `FUTURES_MINUTES` does not ask for more. */
const SHORT = 6_000
const FEW = 50
const MANY = 500

/** What a program may take besides the time that it was told to. */
const SLACK = 120_000
/** What an executor may take from its birth to its end. */
const LIFE = 2_000

const ask = async (
  backend: Pick<Asked, "abilities" | "module" | "name">,
  { name: subject }: Trial,
  title: string,
  scene: Asked["scene"],
  limit: number
): Promise<void> => {
  const asked: Asked = {
    ...backend,
    seed: Number(process.env["FUTURES_SEED"] ?? Date.now() % 1_000_000_000),
    scene
  }
  const { code, signal, stderr, stdout } = await runProgram(
    new URL("./program.ts", import.meta.url),
    [JSON.stringify(asked)],
    { limit, execArgv: ["--expose-gc"] }
  )
  console.info(`${subject}: ${title}\n${stdout.replaceAll(/^/gm, "  ")}`)
  assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: "" }, `${stdout}\n${stderr}`)
}

/**
 * Laws about what is lost, and what is left, in the long run. `FUTURES_MINUTES` says how long it is to be (a few seconds by default), `FUTURES_SEED`
 * where to begin: a round that broke is named with its seed. `abilities` says what else may happen to workers of this backend.
 */
export const soak = (origin: Origin, abilities: ReadonlyArray<Capability>): LawSet => {
  const backend = { ...origin, abilities }
  const minutes = Number(process.env["FUTURES_MINUTES"] ?? 0)
  const millis = minutes > 0 ? minutes * 60_000 : SHORT
  const executors = minutes > 0 ? MANY : FEW
  return laws("soak", [
    law(
      "Under random calls, crashes and stops the books balance, nothing is left, and memory is flat",
      { promises: [5, 6, 7, 8, 11, 14], limit: millis + SLACK },
      (trial) => ask(backend, trial, "the ledger of a soak", { soak: millis }, millis + SLACK)
    ),
    law(
      "Of executors that are opened and closed one after another nothing is left, and memory is flat",
      { promises: [14], limit: executors * LIFE + SLACK },
      (trial) => ask(backend, trial, "executors in a row", { executors }, executors * LIFE + SLACK)
    )
  ])
}
