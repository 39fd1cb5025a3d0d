/**
 * The engine under every interleaving: frames, exits and the caller's own steps happen in the order that fast-check picks, and shrinks.
 *
 * These laws are the engine's more than a backend's. They take what wraps the seam, so that a mistake planted there can be seen to be caught.
 */
import type { ExecutorOptions } from "@futures/core"
import type { Backend } from "@futures/core/Backend"
import * as fc from "fast-check"
import { turn } from "../expect.ts"
import { laws, property } from "../Law.ts"
import type { LawSet } from "../Law.ts"
import { Interleaving } from "./Interleaving.ts"
import type { Fate, Step } from "./Interleaving.ts"

const fate = fc.constantFrom<Fate>("succeed", "succeed later", "throw", "throw nothing", "until asked", "argument")
const submit = fc.record({ do: fc.constant("submit" as const), fate })
const meddle = fc.record({ do: fc.constantFrom("cancel" as const, "interrupt" as const), call: fc.nat(15) })
const crash = fc.record({ do: fc.constant("crash" as const), worker: fc.nat(7) })
const shutdown = fc.constant({ do: "shutdown" as const })
const repeat = fc.record({ do: fc.constant("repeat" as const), worker: fc.nat(7), frame: fc.nat(15), to: fc.nat(7) })

/** No frame of the wire has such a kind. */
const unknownKind = fc.oneof(fc.integer({ max: 0 }), fc.integer({ min: 1_000 }), fc.string(), fc.constant(undefined))
/** No call was ever handed over under such a name. */
const unknownCall = fc.oneof(
  fc.integer({ max: -1 }),
  fc.double({ min: 0.1, max: 0.9 }),
  fc.string(),
  fc.constantFrom(undefined, null, NaN, 2 ** 40)
)
const meaningless = fc.oneof(
  fc.record({ anything: fc.anything() }),
  fc.record({ kind: unknownKind, body: fc.array(fc.anything(), { maxLength: 3 }) }),
  // Outcomes, progress, items, and that a call waits for calls of its own: well said, of no call.
  fc.record({ kind: fc.constant(5), body: fc.tuple(unknownCall, fc.constant(0), fc.anything(), fc.constant(0)) }),
  fc.record({ kind: fc.constantFrom(9, 13, 14), body: fc.tuple(unknownCall, fc.anything()) }),
  fc.record({ kind: fc.constant(11), body: fc.tuple(unknownCall, fc.constant([])) })
)
const nonsense = fc.record({ do: fc.constant("nonsense" as const), worker: fc.nat(7), frame: meaningless })
/** Outcomes, output, an uncaught error, memory, items: of a kind that a worker may send, and not of its shape. */
const misshapen = fc.record({
  do: fc.constant("misshapen" as const),
  worker: fc.nat(7),
  frame: fc.record({
    kind: fc.constantFrom(5, 6, 7, 10, 11),
    body: fc.array(fc.oneof(fc.string(), fc.constant(undefined), fc.object()), { minLength: 1, maxLength: 3 })
  })
})

const options = fc.record({
  maxWorkers: fc.integer({ min: 1, max: 3 }),
  concurrency: fc.integer({ min: 1, max: 2 }),
  maxTasksPerWorker: fc.constantFrom(undefined, 1, 2)
})

/** So many milliseconds without a delivery, and nothing will come any more: tasks take no time, and leases of calls end soon. */
const PATIENCE = 500
const TURNS = 300

const drive = async (
  scheduler: fc.Scheduler,
  settings: ExecutorOptions,
  steps: ReadonlyArray<Step>,
  plant: (backend: Backend) => Backend
): Promise<void> => {
  let movedAt = performance.now()
  const errors: Array<unknown> = []
  const history = new Interleaving(
    (label, step) => {
      scheduler.schedule(Promise.resolve(), label).then(() => {
        movedAt = performance.now()
        step()
      }).catch((error: unknown) => errors.push(error))
    },
    settings,
    plant
  )
  const { task: taken } = scheduler.scheduleSequence(steps.map((step) => ({
    label: step.do,
    builder: async () => {
      movedAt = performance.now()
      try {
        history.take(step)
      } catch (error) {
        errors.push(error)
      }
    }
  })))
  let over = false
  const stuck = async (): Promise<void> => {
    // Turns count as well: a machine that stands still for a while is not a history that does.
    let turns = 0
    for (let seen = movedAt; turns < TURNS || performance.now() - movedAt < PATIENCE; turns++) {
      if (over) return
      if (seen !== movedAt) turns = 0
      seen = movedAt
      await turn()
    }
    throw new Error(`Nothing moves any more: ${history.describe()}`)
  }
  try {
    await Promise.race([scheduler.waitFor(taken.then(() => history.end())), stuck()])
    if (errors.length > 0) throw errors[0]
  } catch (error) {
    // What is left goes on by itself; the history has failed, with the first thing that went wrong.
    void scheduler.waitFor(history.abandon()).catch(() => {})
    throw errors.length > 0 ? errors[0] : error
  } finally {
    over = true
  }
}

/** The laws of the engine, over a backend in this thread that `plant` may have wrapped. */
export const interleavings = (plant: (backend: Backend) => Backend = (backend) => backend): LawSet =>
  laws("interleavings", [
    property(
      "Each call settles once, with its own outcome, in whatever order frames, exits and requests come",
      { promises: [5, 8], runs: 150, histories: true },
      [
        fc.scheduler(),
        options,
        fc.array(fc.oneof({ weight: 4, arbitrary: submit }, meddle, crash, shutdown), {
          maxLength: 16
        })
      ],
      async (_, scheduler, settings, steps) => {
        await drive(scheduler, settings, steps, plant)
      }
    ),
    property(
      "Replies that come twice or late, of a dead worker, and frames without a meaning are dropped and counted, and reach no call",
      { promises: [5, 10], runs: 150, histories: true },
      [
        fc.scheduler(),
        options,
        fc.array(
          fc.oneof({ weight: 3, arbitrary: submit }, meddle, crash, { weight: 2, arbitrary: repeat }, {
            weight: 2,
            arbitrary: nonsense
          }),
          { maxLength: 20 }
        )
      ],
      async (_, scheduler, settings, steps) => {
        await drive(scheduler, settings, steps, plant)
      }
    ),
    property(
      "Frames whose body is not what their kind says are dropped and counted, reach no call, and end the worker that sent them",
      { promises: [5, 10], runs: 50, histories: true },
      [fc.scheduler(), options, fc.array(fc.oneof(submit, misshapen), { maxLength: 8 })],
      async (_, scheduler, settings, steps) => {
        await drive(scheduler, settings, steps, plant)
      }
    )
  ])
