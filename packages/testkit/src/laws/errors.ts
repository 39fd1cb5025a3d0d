/** What a task throws is what its caller catches. */
import { NotPortableError, Task, TaskNotFoundError } from "@futures/core"
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { cloneable } from "../arbitraries.ts"
import { collect, failsWith, isError, isIn, rejection } from "../expect.ts"
import { law, laws, property } from "../Law.ts"
import { assertSame } from "../portrait.ts"
import { add, double } from "../tasks.ts"
import {
  builtInNames,
  decline,
  Declined,
  http,
  HttpError,
  large,
  nothing,
  reject,
  seal,
  Sealed,
  throwAggregate,
  throwBuiltIn,
  throwChain,
  throwInvalid,
  throwProperties,
  throwUnlisted,
  throwValue,
  throwWithFunction,
  unbelievable
} from "../tasksErrors.ts"

/** Names that mean nothing to errors. */
const propertyNames = fc.oneof(
  fc.constantFrom("issues", "status", "config", "__proto__", "toString", "0", "code"),
  fc.string({ maxLength: 8 })
).filter((name) => !["message", "stack", "name", "cause", "errors"].includes(name))

const dataModule = (source: string): URL => new URL(`data:text/javascript,${encodeURIComponent(source)}`)

interface Anything {
  readonly task: () => number
}

export const errors = laws("errors", [
  law("A built-in error keeps its class, message and cause", { promises: [5] }, async (trial) => {
    for (const name of builtInNames) {
      const error = await rejection(trial.shared.run(throwBuiltIn, name, "what happened")) as Error
      const Class = globalThis[name]
      assert.equal(Object.getPrototypeOf(error), Class.prototype, name)
      assert.equal(error.message, "what happened")
      assert.deepEqual(error.cause, { reason: "because" })
    }
  }),
  property(
    "What is thrown or rejected with, and is no error, arrives as exactly that",
    { promises: [5], runs: 60 },
    [cloneable().filter((value) => !(value instanceof Error))],
    async (trial, value) => {
      const thrown = trial.shared.submit(throwValue, value)
      assertSame(await rejection(thrown.result()), structuredClone(value))
      isIn(thrown, "failed")
      assert.equal(thrown.successful(), false)
      assertSame(await rejection(trial.shared.run(reject, value)), structuredClone(value))
      assertSame(await thrown.exception(), structuredClone(value))
    }
  ),
  law("To throw undefined, null, 0, false or an empty text is to fail", { promises: [5] }, async (trial) => {
    for (const value of [undefined, null, 0, false, "", NaN, 0n]) {
      const future = trial.shared.submit(throwValue, value)
      assert.equal(await rejection(future.result()), value)
      isIn(future, "failed")
    }
    const rejected = trial.shared.submit(nothing)
    assert.equal(await rejection(rejected.result()), undefined)
    isIn(rejected, "failed")
  }),
  law("exception() answers undefined after success and for a task that threw it; successful() tells them apart", {
    promises: [5]
  }, async (trial) => {
    const [threw, succeeded] = [trial.shared.submit(throwValue, undefined), trial.shared.submit(add, 1, 2)]
    assert.deepEqual([await threw.exception(), await succeeded.exception()], [undefined, undefined])
    assert.deepEqual([threw.successful(), succeeded.successful()], [false, true])
    isIn(threw, "failed")
  }),
  law(
    "An error of a class with private members arrives usable when Task.error says how to rebuild it, also for retry.while",
    { promises: [5, 6] },
    async (trial) => {
      const error = isError(await rejection(trial.shared.run(http, 503)), HttpError, {
        name: "HttpError",
        message: "HTTP 503",
        status: 503
      })
      assert.equal(error.isRetryable(), true)
      const again = { times: 2, while: (thrown: unknown) => thrown instanceof HttpError && thrown.isRetryable() }
      for (const [status, attempts] of [[503, 3], [404, 1]] as const) {
        const future = trial.shared.submit(Task.with(http, { retry: again }), status)
        isError(await rejection(future.result()), HttpError, { status })
        assert.equal(future.info.attempt, attempts)
      }
    }
  ),
  law(
    "An error of a listed class with private members arrives, without Task.error, as a plain error of that name that says why",
    { promises: [2, 5] },
    async (trial) => {
      const error = await rejection(trial.shared.run(seal)) as Error & Record<string, unknown>
      assert.equal(Object.getPrototypeOf(error), Error.prototype)
      assert.deepEqual([error.name, error.message, error.cause], ["Sealed", "sealed", "wax"])
      assert.deepEqual([error["code"], error["size"]], ["E_SEALED", 3])
      assert.match(String(error["notRebuilt"]), /^Sealed has private members.*Task\.error\(Sealed/)
      assert.equal(Sealed.accepts(error), false)
    }
  ),
  law("What an error holds beyond the limit is marked where it was left out, and the rest arrives", {
    promises: [5]
  }, async (trial) => {
    const many = await rejection(trial.single.run(large, 110_000, 1)) as Error & { list: Array<unknown>; after: number }
    assert.equal(many.list.length, 110_000)
    assert.deepEqual([many.message, many.list[0], many.after], ["large", { i: 0 }, 2])
    assert.equal(many.list.at(-1), "[left out: more than 100000 objects]")
    const long = await rejection(trial.single.run(large, 1, 17 * 2 ** 20)) as Error & { text: string; after: number }
    assert.deepEqual([long.message, long.after], ["large", 2])
    assert.equal(long.text, `[left out: ${17 * 2 ** 20} bytes, beyond the limit of ${16 * 2 ** 20}]`)
    assert.equal(await trial.single.run(add, 1, 2), 3)
  }),
  law(
    "An error of a class that is listed under errors arrives as an instance of it",
    { promises: [5] },
    async (trial) => {
      const error = isError(await rejection(trial.shared.run(decline, 503)), Declined, {
        name: "Declined",
        message: "Declined with 503",
        code: 503,
        details: { reasons: ["too late", "too little"] }
      })
      assert.equal(error.isFinal, true)
    }
  ),
  law("An error of any other class keeps its name, message, own fields and code", { promises: [5] }, async (trial) => {
    const error = await rejection(trial.shared.run(throwUnlisted, 7)) as Error & { code: unknown; size: unknown }
    assert.ok(error instanceof Error)
    assert.deepEqual(
      { name: error.name, message: error.message, code: error.code, size: error.size },
      { name: "Unlisted", message: "Of size 7", code: "E_UNLISTED", size: 7 }
    )
  }),
  property(
    "Every own property of an error that can be copied arrives, enumerable or not",
    { promises: [5], runs: 60 },
    [fc.uniqueArray(fc.tuple(propertyNames, fc.jsonValue(), fc.boolean()), {
      selector: ([name]) => name,
      maxLength: 8
    })],
    async (trial, properties) => {
      const error = await rejection(trial.shared.run(throwProperties, properties)) as RangeError
      assert.ok(error instanceof RangeError)
      const arrived = Object.getOwnPropertyNames(error).filter((name) => name !== "message" && name !== "stack")
      assert.deepEqual(arrived.toSorted(), properties.map(([name]) => name).toSorted())
      for (const [name, value, enumerable] of properties) {
        const there = Object.getOwnPropertyDescriptor(error, name)!
        assertSame(there.value, structuredClone(value))
        assert.equal(there.enumerable, enumerable)
      }
    }
  ),
  law(
    "Of an error without its class what its class says of all instances arrives; methods and symbols do not",
    { promises: [5] },
    async (trial) => {
      const error = await rejection(trial.shared.run(throwInvalid, [{ path: ["a"] }])) as
        & Error
        & Record<string, unknown>
      assert.deepEqual([error.name, error.message, Object.keys(error)], ["InvalidInput", "invalid", ["name"]])
      assert.deepEqual(error["issues"], [{ path: ["a"] }])
      assert.deepEqual([error["isEmpty"], error["count"], error["isInvalidInput"]], [false, 1, true])
      assert.deepEqual(["format" in error, "state" in error, Object.getOwnPropertySymbols(error)], [false, false, []])
      assert.equal(String(error), "InvalidInput: invalid")
    }
  ),
  law("A chain of causes arrives as errors", { promises: [5] }, async (trial) => {
    const error = await rejection(trial.shared.run(throwChain)) as Error
    const middle = error.cause as Error
    assert.deepEqual([error.name, error.message], ["Unlisted", "Of size 3"])
    assert.ok(middle instanceof RangeError)
    assert.deepEqual([middle.message, middle.cause], ["middle", "bottom"])
  }),
  law("An AggregateError keeps its errors", { promises: [5] }, async (trial) => {
    const error = await rejection(trial.shared.run(throwAggregate)) as AggregateError
    assert.ok(error instanceof AggregateError)
    assert.equal(error.message, "several")
    assert.ok(error.errors[0] instanceof TypeError)
    assert.deepEqual([error.errors[0].message, ...error.errors.slice(1)], ["first", "second", { third: 3 }])
  }),
  law("An error with a field that cannot travel arrives with all the others", { promises: [2, 5] }, async (trial) => {
    const error = await rejection(trial.shared.run(throwWithFunction)) as TypeError & { size: unknown }
    assert.ok(error instanceof TypeError)
    assert.deepEqual([error.message, error.size], ["with a function", 3])
  }),
  law("An error that cannot even be read fails its own call alone", { promises: [5] }, async (trial) => {
    const before = trial.shared.submit(add, 1, 2)
    const future = trial.shared.submit(unbelievable)
    const after = trial.shared.submit(add, 3, 4)
    await rejection(future.result())
    isIn(future, "failed")
    assert.deepEqual(await Promise.all([before.result(), after.result()]), [3, 7])
  }),
  law(
    "The stack shows the frames in the worker, then the lines that awaited the result",
    { promises: [5] },
    async (trial) => {
      const awaitTheResult = async (): Promise<unknown> => await trial.shared.submit(throwUnlisted, 1).result()
      const { stack } = await rejection(awaitTheResult()) as Error
      assert.match(stack!, /throwUnlisted.*tasksErrors/)
      assert.match(stack!, /throwUnlisted[^]*awaitTheResult/)
      assert.doesNotMatch(stack!, /(?:core|thread-executor|process-executor|cluster-executor)[\\/](?:src|dist)[\\/]/)
      assert.doesNotMatch(stack!, /node:internal\/async_local_storage|node:async_hooks/)
    }
  ),
  law("Every look at a failure gives an error of its own, so that nobody finds another's frames in it", {
    promises: [5]
  }, async (trial) => {
    const future = trial.shared.submit(throwUnlisted, 1)
    const [first, second] = [await rejection(future.result()), await rejection(future.result())] as [Error, Error]
    first.message = "changed"
    assert.equal(second.message, "Of size 1")
    assert.equal((await future.exception() as Error).message, "Of size 1")
  }),
  law(
    "A name that its module does not have fails the call with TaskNotFoundError",
    { promises: [5] },
    async (trial) => {
      const module = dataModule("export const here = () => 1; export const number = 1")
      for (const name of ["absent", "number", "toString", "__proto__"]) {
        const absent = Task.from<Record<string, () => number>>(module)[name]!
        await failsWith(trial.shared.run(absent as typeof add, 1, 2), TaskNotFoundError, {
          module: module.href,
          task: name
        })
      }
    }
  ),
  law("A module that is missing, does not parse or throws while it loads fails its own calls, with the cause", {
    promises: [5]
  }, async (trial) => {
    const modules = [
      new URL("./there-is-no-such-module.js", import.meta.url),
      dataModule("this does not parse"),
      dataModule("throw new RangeError('while loading')"),
      dataModule("throw undefined")
    ]
    for (const module of modules) {
      const { task } = Task.from<Anything>(module)
      const before = trial.shared.submit(add, 1, 2)
      const futures = [trial.shared.submit(task), trial.shared.submit(task)]
      const after = trial.shared.submit(add, 3, 4)
      for (const future of futures) {
        const error = await failsWith(future.result(), TaskNotFoundError, { module: module.href, task: "task" })
        assert.ok(Object.hasOwn(error, "cause"))
      }
      assert.deepEqual(await Promise.all([before.result(), after.result()]), [3, 7])
    }
    const loading = Task.from<Anything>(modules[2]!).task
    const { cause } = await failsWith(trial.shared.run(loading), TaskNotFoundError)
    assert.ok(cause instanceof RangeError)
    assert.equal(cause.message, "while loading")
  }),
  law("Exports of a module that declares no tasks can be handed in by reference", { promises: [1] }, async (trial) => {
    const { basename, join } = Task.from<typeof import("node:path")>("node:path")
    assert.equal(await trial.shared.run(basename, "/a/b.txt"), "b.txt")
    assert.equal(await trial.shared.run(join, "a", "b"), ["a", "b"].join(process.platform === "win32" ? "\\" : "/"))
    const { task } = Task.from<Anything>(dataModule("export const task = () => 42"))
    assert.equal(await trial.shared.run(task), 42)
    assert.deepEqual(await collect(trial.shared.map(task as unknown as typeof double, [1, 2])), [42, 42])
  }),
  law("What a task throws is not taken for an error of the executor", { promises: [5] }, async (trial) => {
    const ours = { _tag: "CancelledError", reason: "interrupt" }
    const future = trial.shared.submit(throwValue, ours)
    assert.deepEqual(await rejection(future.result()), ours)
    isIn(future, "failed")
    await failsWith(trial.shared.run(throwValue, () => 1), NotPortableError, { side: "argument" })
  })
])
