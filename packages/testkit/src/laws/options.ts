/** Wrong options are named before anything starts. */
import { asCompleted, gather, InvalidOptionError, Task, TaskNotFoundError, wait } from "@futures/core"
import type { ExecutorOptions, MapOptions } from "@futures/core"
import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { mkdirSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { inspect } from "node:util"
import { collect, failsWith, isError, rejection } from "../expect.ts"
import { law, laws } from "../Law.ts"
import { double, who } from "../tasks.ts"
import { waitFor } from "../tasksSignals.ts"

const wrongNumbers: ReadonlyArray<unknown> = [0, -1, 1.5, NaN, Infinity, null, "4", true, {}, 2 ** 53]

const wrongDurations: ReadonlyArray<unknown> = [-1, NaN, "soon", null]

/** A call rejects with `InvalidOptionError` for this option, and does not throw. */
const rejects = (call: () => Promise<unknown>, option: string): Promise<InvalidOptionError> => {
  let promise: Promise<unknown> | undefined
  assert.doesNotThrow(() => promise = call())
  return failsWith(promise!, InvalidOptionError, { option })
}

/** Values that no option can have; a new option without a row here does not compile. */
const wrong: Readonly<Record<keyof ExecutorOptions, ReadonlyArray<unknown>>> = {
  maxWorkers: wrongNumbers,
  minWorkers: [-1, 1.5, NaN, Infinity, null, "4"],
  idleTimeout: wrongDurations,
  concurrency: wrongNumbers,
  maxTasksPerWorker: wrongNumbers,
  maxPending: [-1, 1.5, NaN, Infinity, null, "4"],
  whenFull: [null, "drop", 1],
  initializer: [null, double, [], [() => 1], "double"],
  startTimeout: wrongDurations,
  grace: wrongDurations,
  exitTimeout: wrongDurations,
  name: [1, null],
  env: [null, "A=1", { A: 1 }],
  execArgv: [null, "--no-warnings", [1]],
  argv: [null, "--verbose", [1]],
  resourceLimits: [null, 4, { maxOldGenerationSizeMb: "4" }],
  // Less than 1 MiB was meant as MiB.
  memoryLimit: [...wrongNumbers, 1, 512, 2_048, 2 ** 20 - 1, "512", "lots", "512 Mb/s", "-1 GiB", "1 KiB"],
  stdio: [null, "ignore", 1],
  stacks: [null, "both", 1],
  context: [null, {}, { capture: () => 1, restore: () => 1 }, { capture: 1, restore: double }],
  tracing: [null, "yes", 1],
  interactive: [null, "yes", 1],
  onWorkerExit: [null, "log"]
}

const names = Object.keys(wrong) as Array<keyof ExecutorOptions>

export const options = laws("options", [
  law(
    "A wrong option throws InvalidOptionError that names it, what it got and what it wants",
    { promises: [] },
    async (trial) => {
      for (const option of names) {
        for (const value of wrong[option]) {
          let thrown: unknown
          try {
            trial.open({ [option]: value })
          } catch (error) {
            thrown = error
          }
          assert.notEqual(thrown, undefined, `${option}: ${inspect(value)} was accepted`)
          const error = isError(thrown, InvalidOptionError, { option })
          assert.ok(error.received.length > 0 && error.expected.length > 0)
          assert.ok(
            [option, error.received, error.expected].every((part) => error.message.includes(part)),
            error.message
          )
        }
      }
    }
  ),
  law("A wrong option is in the error channel of make and layer", { promises: [] }, async (trial) => {
    for (const value of [0, -1, 1.5, NaN, Infinity, null, "4"]) {
      const wrongOptions = { maxWorkers: value as number }
      const made = await Effect.runPromise(Effect.flip(Effect.scoped(trial.executor.make(wrongOptions))))
      isError(made, InvalidOptionError, { option: "maxWorkers" })
      const layered = await Effect.runPromise(
        Effect.flip(Effect.provide(Effect.void, trial.executor.layer(wrongOptions)))
      )
      isError(layered, InvalidOptionError, { option: "maxWorkers" })
    }
  }),
  law("A changed Object.prototype gives no options", { promises: [16] }, async (trial) => {
    const added = ["timeout", "retry", "maxWorkers", "chunkSize", "grace", "cancelPending", "returnWhen"]
    const prototype = Object.prototype as Record<string, unknown>
    for (const option of added) prototype[option] = -1
    try {
      const executor = trial.open({ minWorkers: 0 })
      const future = executor.submit(Task.with(double, { label: "doubled" }), 2)
      assert.equal(await future.result({}), 4)
      assert.deepEqual(await collect(executor.map(double, [1], {})), [2])
      assert.equal((await wait([future], {})).done.size, 1)
      await executor.shutdown({})
    } finally {
      for (const option of added) delete prototype[option]
    }
  }),
  law("An option that does not exist is refused", { promises: [] }, async (trial) => {
    assert.throws(() => trial.open({ maxWorker: 4 } as ExecutorOptions), InvalidOptionError)
    assert.throws(() => trial.open(null as never), InvalidOptionError)
  }),
  law("Every option may be undefined", { promises: [] }, async (trial) => {
    const executor = trial.open(Object.fromEntries(names.map((option) => [option, undefined])))
    assert.equal(await executor.run(double, 2), 4)
  }),
  law("Durations are milliseconds or such as \"5 seconds\"", { promises: [] }, async (trial) => {
    for (const duration of [0, 5, "5 seconds", "1 minute", Infinity] as const) {
      trial.open({ grace: duration, idleTimeout: duration, startTimeout: duration })
    }
  }),
  law("Sizes are bytes or such as \"512 MiB\", and a limit of memory that is meant in MiB is refused as bytes", {
    promises: []
  }, async (trial) => {
    for (const size of [2 ** 20, "1 MiB", "512MiB", "1.5 GB", "2 gib", "1048576 B"] as const) {
      trial.open({ memoryLimit: size as "1 MiB" })
    }
    assert.throws(() => trial.open({ memoryLimit: 512 }), (thrown: unknown) => {
      const { message } = isError(thrown, InvalidOptionError, { option: "memoryLimit", received: "512" })
      return message.includes("bytes") && message.includes("512 MiB")
    })
    assert.deepEqual(await collect(trial.shared.map(double, [1, 2], { bufferBytes: "64 KiB" })), [2, 4])
  }),
  law("An executor that nobody uses starts nothing", { promises: [14] }, async (trial) => {
    const executor = trial.open({ maxWorkers: 4 })
    assert.equal(executor.stats().workers, 0)
    await executor.shutdown()
    assert.equal(executor.stats().workers, 0)
  }),
  law(
    "A wrong timeout of a call is refused when it is given, or fails that call alone",
    { promises: [5] },
    async (trial) => {
      for (const timeout of [-1, NaN, "soon"]) {
        const error = await rejection(
          (async () => await trial.single.run(Task.with(double, { timeout: timeout as never }), 1))()
        )
        isError(error, InvalidOptionError, { option: "timeout" })
        assert.equal(await trial.single.run(double, 2), 4)
      }
    }
  ),
  law(
    "An option of Task.with that does not exist, or has a wrong type, fails the call with InvalidOptionError that names it",
    { promises: [5] },
    async (trial) => {
      const wrongOf: ReadonlyArray<readonly [option: string, value: unknown, meant?: string]> = [
        ["timout", 5, "timeout"],
        ["timeOut", 5, "timeout"],
        ["queueTimeOut", 5, "queueTimeout"],
        ["retries", 1, "retry"],
        ["Label", "a", "label"],
        ["xyz", 1],
        ["label", 42],
        ["label", null],
        ["timeout", null],
        ["queueTimeout", null],
        ["priority", "high"],
        ["signal", {}],
        ["transfer", 1]
      ]
      for (const [option, value, meant] of wrongOf) {
        const task = Task.with(double, { [option]: value })
        const error = await failsWith(trial.shared.run(task, 1), InvalidOptionError, { option })
        if (meant !== undefined) assert.ok(error.message.includes(`Did you mean "${meant}"?`), error.message)
        const again = await failsWith(trial.shared.run(task, 1), InvalidOptionError, { option })
        assert.equal(again.message, error.message)
      }
      await failsWith(trial.shared.run(Task.with(double, { retry: { tries: 1 } as never }), 1), InvalidOptionError, {
        option: "tries"
      })
    }
  ),
  law(
    "A method that returns a promise rejects for wrong options, and does not throw; undefined is the default, null is refused",
    { promises: [] },
    async (trial) => {
      const executor = trial.open()
      const future = executor.submit(double, 1)
      await future.result()
      for (const wrongDuration of [-1, NaN, "soon", null]) {
        const timeout = wrongDuration as never
        const calls: ReadonlyArray<readonly [option: string, call: () => Promise<unknown>]> = [
          ["timeout", () => executor.shutdown({ timeout })],
          ["timeout", () => future.result({ timeout })],
          ["timeout", () => future.exception({ timeout })],
          ["timeout", () => future.wait({ timeout })],
          ["timeout", () => wait([future], { timeout })],
          ["timeout", () => gather([future], { timeout })],
          ["grace", () => future.interrupt({ grace: timeout })]
        ]
        for (const [option, call] of calls) await rejects(call, option)
        assert.throws(() => asCompleted([future], { timeout }), InvalidOptionError)
      }
      const takers: ReadonlyArray<(options: any) => Promise<unknown>> = [
        (given) => executor.shutdown(given),
        (given) => future.result(given),
        (given) => future.exception(given),
        (given) => future.wait(given),
        (given) => future.interrupt(given),
        (given) => wait([future], given),
        (given) => gather([future], given),
        async (given) => asCompleted([future], given)
      ]
      for (const take of takers) {
        for (const noObject of [null, 5, "soon", []]) await rejects(() => take(noObject), "options")
        const { message } = await rejects(() => take({ timeOut: 5, graze: 5 }), "timeOut")
        assert.ok(message.includes("timeout") || message.includes("grace"), message)
        await rejects(() => take({ xyz: null }), "xyz")
      }
      await rejects(() => executor.shutdown({ cancelPending: "yes" as never }), "cancelPending")
      await rejects(() => executor.shutdown({ cancelPending: null as never }), "cancelPending")
      await rejects(() => wait([future], { returnWhen: null as never }), "returnWhen")
      await rejects(() => (executor.ready as (options: unknown) => Promise<void>)({ timeout: 5 }), "options")
      assert.equal(await future.result({ timeout: undefined }), 2)
      assert.equal(await future.wait({}), true)
      await (executor.ready as (options: unknown) => Promise<void>)(undefined)
      assert.equal(await executor.run(double, 2), 4)
    }
  ),
  law(
    "An executor option that does not exist names the one that was probably meant",
    { promises: [] },
    async (trial) => {
      for (
        const [option, meant] of [["maxThreads", "maxWorkers"], ["max_workers", "maxWorkers"], ["stdios", "stdio"]]
      ) {
        assert.throws(
          () => trial.open({ [option!]: 3 } as ExecutorOptions),
          (thrown: unknown) =>
            isError(thrown, InvalidOptionError, { option: option! }).message.includes(`Did you mean "${meant}"?`)
        )
      }
    }
  ),
  law("Wrong options of map are refused, and nothing is pulled from the input", { promises: [12] }, async (trial) => {
    let pulled = 0
    const items = function*() {
      for (;;) yield pulled++
    }
    for (const value of [0, -1, 1.5, NaN, Infinity, null, "4"]) {
      for (const option of ["chunkSize", "bufferSize"]) {
        const mapped = async (): Promise<unknown> =>
          await collect(trial.shared.map(double, items(), { [option]: value }))
        await failsWith(mapped(), InvalidOptionError, { option })
      }
    }
    const wrongOfMap = {
      bufferBytes: [0, -1, 1.5, NaN, null, "4"],
      ordered: ["no", null, 1],
      onProgress: [42, null, "log"],
      signal: [42, null, {}],
      timeout: wrongDurations,
      itemTimeout: wrongDurations,
      chunksize: [5],
      buffersize: [5]
    }
    for (const [option, values] of Object.entries(wrongOfMap)) {
      for (const value of values) {
        const given = { [option]: value } as MapOptions
        for (const mapped of [trial.shared.map, trial.shared.mapSettled] as Array<typeof trial.shared.mapSettled>) {
          const mapping = (async () =>
            await collect(mapped.call(trial.shared, double as never, items() as never, given)))()
          await failsWith(mapping as Promise<unknown>, InvalidOptionError, { option })
        }
      }
    }
    await failsWith(
      (async () => await collect(trial.shared.map(double, items(), null as never)))(),
      InvalidOptionError,
      { option: "options" }
    )
    await failsWith((async () => await collect(trial.shared.map(double, 5 as never)))(), InvalidOptionError)
    assert.equal(pulled, 0)
  }),
  law("In CommonJS a module is given as module, __filename or a path, and tasks are found under its URL", {
    promises: [1]
  }, async (trial) => {
    const { path } = trial.notebook()
    const folder = `${path}.modules`
    mkdirSync(folder)
    // Resolved from here, since the folder has no packages beside it.
    const core = JSON.stringify(import.meta.resolve("@futures/core"))
    for (const [index, meta] of ["module", "__filename", "pathToFileURL(__filename).href"].entries()) {
      const file = join(folder, `tasks${index}.cjs`)
      writeFileSync(
        file,
        `const { pathToFileURL } = require("node:url")
        const { Task } = require(require("node:url").fileURLToPath(${core}))
        module.exports = Task.module(${meta}, { triple: (n) => n * 3 })`
      )
      const { triple } = createRequire(import.meta.url)(file) as { triple: typeof double }
      assert.equal(await trial.shared.run(triple, 2), 6)
      const reference = Task.from<{ triple: (n: number) => number }>(file)
      assert.equal(await trial.shared.run(reference.triple, 3), 9)
    }
  }),
  law("Task.from finds what require finds in a CommonJS module, however its exports are made", {
    promises: [1]
  }, async (trial) => {
    const { path } = trial.notebook()
    const folder = `${path}.modules`
    mkdirSync(folder)
    const cases: ReadonlyArray<readonly [text: string, name: string]> = [
      ["exports.twice = (n) => 2 * n", "twice"],
      ["module.exports = Object.fromEntries([['twice', (n) => 2 * n]])", "twice"],
      ["module.exports = { factor: 2, twice(n) { return this.factor * n } }", "twice"],
      ["module.exports = new (class { #factor = 2; twice(n) { return this.#factor * n } })()", "twice"],
      ["module.exports = Object.assign(() => 0, { ['tw' + 'ice']: (n) => 2 * n })", "twice"],
      ["module.exports = (n) => 2 * n", "default"],
      ["Object.defineProperty(exports, '__esModule', { value: true }); exports.default = (n) => 2 * n", "default"],
      ["Object.defineProperty(exports, '__esModule', { value: true }); exports.twice = (n) => 2 * n", "twice"]
    ]
    for (const [index, [text, name]] of cases.entries()) {
      const file = join(folder, `${index}.cjs`)
      writeFileSync(file, text)
      const module = Task.from<Record<string, (n: number) => number>>(file)
      assert.equal(await trial.shared.run(module[name]!, 21), 42, text)
      await failsWith(trial.shared.run(module["toString"]!, 1), TaskNotFoundError)
    }
  }),
  law("A task is its own function; a reference is only to be handed in, and misuse says so at once", {
    promises: []
  }, async (trial) => {
    const meta = { url: "file:///made-up/tasks.js" }
    const { plus } = Task.module(meta, { plus: (a: number, b: number) => a + b })
    assert.equal(plus(1, 2), 3)
    const { basename } = Task.from<typeof import("node:path")>("node:path")
    const misuses = [
      () => Task.module(meta, { plus: () => 0 }),
      () => Task.module({ plus: () => 0 } as never, undefined as never),
      () => Task.module(meta, undefined as never),
      () => Task.module("./relative.ts", { plus: () => 0 }),
      () => Task.module({ url: 1 } as never, { plus: () => 0 }),
      () => Task.error(Error, {} as never),
      () => Task.module(meta, { minus: 1 as never }),
      () => Task.from("./relative.ts"),
      () => basename("/a/b.txt"),
      () => Task.with((() => 1) as never, {})
    ]
    for (const misuse of misuses) assert.throws(misuse, { _tag: "InvalidStateError" })
    assert.equal(await trial.shared.run(basename, "/a/b.txt"), "b.txt")
  }),
  law("Task.with adds a label and a timeout to a task, and changes nothing else", { promises: [] }, async (trial) => {
    const labelled = Task.with(double, { label: "twice as much" })
    assert.equal(labelled(4), 8)
    const future = trial.shared.submit(labelled, 4)
    assert.deepEqual([future.info.label, future.info.task.name, await future.result()], ["twice as much", "double", 8])
    assert.equal(trial.shared.submit(double, 1).info.label, "double")
    const both = Task.with(labelled, { timeout: 10_000 })
    assert.equal(trial.shared.submit(both, 1).info.label, "twice as much")
    assert.equal(await trial.shared.run(both, 5), 10)
  }),
  law(
    "A worker gets the environment of the option env over the parent's",
    { promises: [], needs: ["workers"] },
    async (trial) => {
      const { env } = Task.from<{ env: (name: string) => string | undefined }>(
        new URL("data:text/javascript,export const env = (name) => process.env[name]")
      )
      process.env["FUTURES_LAW_PARENT"] = "parent"
      process.env["FUTURES_LAW_TAKEN"] = "parent"
      try {
        const executor = trial.open({ maxWorkers: 1, env: { FUTURES_LAW: "worker", FUTURES_LAW_TAKEN: undefined } })
        const read = (name: string): Promise<string | undefined> => executor.run(env, name)
        assert.deepEqual(
          [await read("FUTURES_LAW"), await read("FUTURES_LAW_PARENT"), await read("FUTURES_LAW_TAKEN")],
          ["worker", "parent", undefined]
        )
      } finally {
        delete process.env["FUTURES_LAW_PARENT"]
        delete process.env["FUTURES_LAW_TAKEN"]
      }
    }
  ),
  law(
    "A worker has the option argv in process.argv, as it is, and nothing else behind its module",
    { promises: [], needs: ["workers"] },
    async (trial) => {
      const { argv } = Task.from<{ argv: () => Array<string> }>(
        new URL("data:text/javascript,export const argv = () => process.argv.slice(2)")
      )
      assert.deepEqual(await trial.single.run(argv), [])
      const given = ["--verbose", "", "a b", "--", "\u00e9"]
      assert.deepEqual(await trial.open({ maxWorkers: 1, argv: given }).run(argv), given)
    }
  ),
  law(
    "Never more than maxWorkers workers, and a worker that is idle is used again",
    { promises: [11] },
    async (trial) => {
      const signals = await trial.signals()
      const executor = trial.open({ maxWorkers: 2 })
      const one = [await executor.run(who), await executor.run(who), await executor.run(who)]
      assert.equal(new Set(one).size, 1)
      assert.equal(executor.stats().workers, 1)
      const words = Array.from({ length: 6 }, signals.word)
      const futures = words.map((word) => executor.submit(waitFor, signals.port, word))
      await Promise.all(words.slice(0, 2).map(signals.heard))
      assert.deepEqual(futures.map((future) => future.state), [
        "running",
        "running",
        "pending",
        "pending",
        "pending",
        "pending"
      ])
      const { pending, running, workers } = executor.stats()
      assert.deepEqual({ pending, running, workers }, { pending: 4, running: 2, workers: 2 })
      words.forEach(signals.release)
      await Promise.all(futures.map((future) => future.result()))
      assert.ok(executor.stats().workers <= 2)
    }
  )
])
