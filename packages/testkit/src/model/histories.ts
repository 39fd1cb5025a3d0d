/**
 * Histories: whatever a caller does, in whatever order, and whatever befalls the workers meanwhile, the executor does what the model allows.
 *
 * What breaks the law shrinks to a short history. It is reported with `seed`, `path` and `replayPath`; given back together they lead to it at once.
 */
import * as fc from "fast-check"
import { law, laws } from "../Law.ts"
import type { LawSet } from "../Law.ts"
import type { Trial } from "../Trial.ts"
import { History } from "./History.ts"
import type { Settings } from "./History.ts"
import { Model } from "./Model.ts"
import type { Kind } from "./Model.ts"

type Command = fc.AsyncCommand<Model, History>

/** A command that can be given at any time, or of one of the calls that there are. */
const command = (name: string, run: (history: History) => void | Promise<void>, calls = false): Command => ({
  check: (model) => !calls || model.calls.length > 0,
  run: async (_, history) => {
    await run(history)
    history.look()
  },
  toString: () => name
})

const onCall = (
  name: string,
  run: (history: History, call: History["calls"][number]) => void | Promise<void>
): fc.Arbitrary<Command> =>
  fc.nat(20).map((number) =>
    command(
      `${name}(${number})`,
      (history) => run(history, history.calls[number % history.calls.length]!),
      true
    )
  )

const submits = (kinds: ReadonlyArray<Kind>): fc.Arbitrary<Command> =>
  fc.constantFrom(...kinds).map((kind) => command(`submit(${kind})`, (history) => history.submit(kind)))

const maps = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 6 })).map((
  [items, taken]
): Command => ({
  check: () => true,
  run: async (model, history) => {
    model.maps.push({ closed: false })
    history.map(items, taken)
    history.look()
  },
  toString: () => `map(${items} items, ${taken} taken)`
}))

const closes = fc.nat(3).map((number): Command => ({
  check: ({ maps: begun }) => begun.length > 0,
  run: async (model, history) => {
    history.closeMap(number % model.maps.length)
    history.look()
  },
  toString: () => `close(${number})`
}))

const commandsFor = (workers: boolean): Array<fc.Arbitrary<Command>> => {
  const kinds: Array<Kind> = ["quick", "slow", "fail", "hang", "argument"]
  // What only a worker of its own survives, or can be ended under.
  if (workers) kinds.push("crash", "hang on")
  const submit = submits(kinds)
  return [
    submit,
    submit,
    submit,
    submit,
    maps,
    closes,
    onCall("cancel", (history, call) => history.cancel(call)),
    onCall("interrupt", (history, call) => history.interrupt(call)),
    onCall("release", (history, call) => history.release(call)),
    onCall("await", (history, call) => history.settle(call)),
    fc.constant(command("a turn of the loop", () => new Promise<void>((resolve) => setImmediate(resolve)))),
    fc.constantFrom("wait" as const, "cancel pending" as const, "terminate" as const).map((how) =>
      command(`end(${how})`, (history) => history.end(how))
    )
  ]
}

const settings = fc.record<Settings>({
  maxWorkers: fc.integer({ min: 1, max: 2 }),
  concurrency: fc.integer({ min: 1, max: 2 }),
  maxTasksPerWorker: fc.constantFrom(undefined, undefined, 1, 3)
})

/** A history in which nothing has happened for so many milliseconds never ends: tasks do nothing that takes time. */
const PATIENCE = 3_000
/** After so many milliseconds no more histories are tried, and what was found by then is the answer. */
const HISTORIES_LIMIT = 7_000
const HISTORIES = 25

const told = async (trial: Trial, options: Settings, commands: Iterable<Command>): Promise<void> => {
  const signals = await trial.signals()
  const model = new Model(options)
  const history = new History(trial, signals, options, model)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    let before = history.describe()
    let changedAt = performance.now()
    timer = setInterval(() => {
      const now = history.describe()
      if (now !== before) changedAt = performance.now()
      before = now
      if (performance.now() - changedAt > PATIENCE) reject(new Error(`It does not end: ${now}`))
    }, PATIENCE / 10)
  })
  try {
    const run = fc.asyncModelRun(() => ({ model, real: history }), commands).then(() => history.finish())
    await Promise.race([run, late])
  } catch (error) {
    history.abandon().catch(() => {})
    throw error
  } finally {
    clearInterval(timer)
  }
}

export const histories: LawSet = laws("histories", [
  law(
    "Whatever is done to an executor, in whatever order, it does what a small model of it allows",
    { promises: [5, 6, 7, 8, 11, 14], histories: true },
    async (trial) => {
      const workers = trial.gaps?.some(({ name }) => name === "workers") !== true
      const { replayPath, ...parameters } = trial.parameters as fc.Parameters<unknown> & { replayPath?: string }
      const commands = fc.commands(commandsFor(workers), {
        size: "+1",
        maxCommands: 25,
        ...(replayPath === undefined ? {} : { replayPath })
      })
      await fc.assert(
        fc.asyncProperty(settings, commands, async (options, given) => {
          await told(trial, options, given)
        }),
        {
          numRuns: HISTORIES,
          interruptAfterTimeLimit: HISTORIES_LIMIT,
          ...parameters as fc.Parameters<[Settings, Iterable<Command>]>
        }
      )
    }
  )
])
