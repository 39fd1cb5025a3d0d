/** What cannot travel fails its own call, by name and place. */
import { NotPortableError, Task } from "@futures/core"
import assert from "node:assert/strict"
import { failsWith, isIn } from "../expect.ts"
import { law, laws } from "../Law.ts"
import { add, double, identity, pair, unportable } from "../tasks.ts"
import { make as makeView } from "../tasksBuffers.ts"

class Private {
  #state = 1
  read(): number {
    return this.#state
  }
}

/** What `structuredClone` refuses. */
const refused: ReadonlyArray<readonly [kind: string, make: () => unknown]> = [
  ["a function", () => () => 1],
  ["a class", () => class {}],
  ["a symbol", () => Symbol("s")],
  ["a promise", () => Promise.resolve(1)],
  ["a weak map", () => new WeakMap()],
  ["a weak reference", () => new WeakRef({})],
  ["a proxy", () => new Proxy({}, {})],
  ["a generator", () => (function*() {})()],
  ["a URL", () => new URL("http://localhost/")],
  ["a detached buffer", () => {
    const buffer = new ArrayBuffer(8)
    structuredClone(buffer, { transfer: [buffer] })
    return buffer
  }]
]

/** What `structuredClone` turns into `{}`. */
const emptied: ReadonlyArray<readonly [kind: string, make: () => unknown]> = [
  ["an abort signal", () => new AbortController().signal],
  ["an abort controller", () => new AbortController()],
  ["an event target", () => new EventTarget()],
  ["an event", () => new Event("e")],
  ["an instance with only private fields", () => new Private()],
  ["a text encoder", () => new TextEncoder()],
  ["Math", () => Math]
]

export const portability = laws("portability", [
  law(
    "A future or a promise among the arguments is refused by name, with what to pass instead",
    { promises: [2] },
    async (trial) => {
      const future = trial.shared.submit(double, 1)
      for (const where of [(value: unknown) => value, (value: unknown) => ({ deep: [value] })]) {
        const ofFuture = await failsWith(trial.shared.run(identity, where(future)), NotPortableError, {
          value: "a Future: pass its result"
        })
        assert.ok(ofFuture.message.includes("pass its result"), ofFuture.message)
        const ofPromise = await failsWith(trial.shared.run(identity, where(future.result())), NotPortableError, {
          value: "Promise"
        })
        assert.ok(ofPromise.message.includes("await it first"), ofPromise.message)
        for (const { path } of [ofFuture, ofPromise]) assert.ok(["args[0]", "args[0].deep[0]"].includes(path), path)
      }
      assert.equal(await future.result(), 2)
    }
  ),
  law(
    "An argument that cannot travel fails its own call with NotPortableError, and no other",
    { promises: [2] },
    async (trial) => {
      for (const [kind, make] of [...refused, ...emptied]) {
        const before = trial.shared.submit(double, 1)
        const refusal = trial.shared.submit(identity, { user: { callback: make() } })
        const after = trial.shared.submit(double, 2)
        isIn(refusal, "failed")
        const error = await failsWith(refusal.result(), NotPortableError, {
          side: "argument",
          path: "args[0].user.callback"
        })
        assert.notEqual(error.value, "", kind)
        assert.ok(error.message.includes("args[0].user.callback"), kind)
        assert.deepEqual(await Promise.all([before.result(), after.result()]), [2, 4], kind)
      }
    }
  ),
  law("A NotPortableError says where: which argument, property, index and entry", { promises: [2] }, async (trial) => {
    const callback = (): number => 1
    const places: ReadonlyArray<readonly [path: string, args: readonly [unknown, unknown]]> = [
      ["args[0]", [callback, 1]],
      ["args[1]", [1, callback]],
      ["args[0].a[1][\"b-c\"]", [{ a: [0, { "b-c": callback }] }, 1]],
      ["args[1].get(\"k\").f", [1, new Map([["k", { f: callback }]])]],
      ["args[0].cause", [new Error("e", { cause: callback }), 1]]
    ]
    for (const [path, args] of places) {
      await failsWith(trial.shared.run(pair, ...args), NotPortableError, { path, side: "argument" })
    }
  }),
  law("A getter that throws fails its own call, and its error is the cause", { promises: [2] }, async (trial) => {
    const thrown = new RangeError("not to be read")
    const value = {
      list: [{
        get bad(): never {
          throw thrown
        }
      }]
    }
    const error = await failsWith(trial.shared.run(identity, value), NotPortableError, {
      path: "args[0].list[0].bad",
      side: "argument"
    })
    assert.equal(error.cause, thrown)
  }),
  law(
    "A result that cannot travel fails its own call with NotPortableError, and no other",
    { promises: [2] },
    async (trial) => {
      for (const kind of ["function", "symbol", "promise", "weak map", "abort signal"]) {
        const before = trial.shared.submit(double, 1)
        const refusal = trial.shared.submit(unportable, kind)
        const after = trial.shared.submit(double, 2)
        await failsWith(refusal.result(), NotPortableError, { side: "result", path: "result.a[1].callback" })
        isIn(refusal, "failed")
        assert.deepEqual(await Promise.all([before.result(), after.result()]), [2, 4], kind)
      }
    }
  ),
  law(
    "A view of more than 4 GiB is refused with its size and the limit, both ways, and no other call fails",
    { promises: [2] },
    async (trial) => {
      // V8 reads 32 bits of a length, so one that is longer would arrive truncated.
      const bytes = 2 ** 32 + 8
      for (const transfer of [false, true]) {
        const view = new Uint8Array(bytes)
        const task = transfer ? Task.with(identity, { transfer: [view.buffer] }) : identity
        const before = trial.shared.submit(double, 1)
        const refusal = trial.shared.submit(task, { deep: [view] })
        const after = trial.shared.submit(double, 2)
        const error = await failsWith(refusal.result(), NotPortableError, { side: "argument", path: "args[0].deep[0]" })
        assert.ok(error.message.includes(String(bytes)) && error.message.includes("GiB"), error.message)
        assert.equal(view.length, bytes)
        assert.deepEqual(await Promise.all([before.result(), after.result()]), [2, 4])
      }
      const error = await failsWith(trial.shared.run(makeView, bytes), NotPortableError, {
        side: "result",
        path: "result.deep[0]"
      })
      assert.ok(error.message.includes(String(bytes)), error.message)
      assert.equal(await trial.shared.run(double, 3), 6)
    }
  ),
  law(
    "A plain function is refused with what to write instead, and never thrown at the caller",
    { promises: [2] },
    async (trial) => {
      const plain = (n: number): number => n + 1
      for (const notATask of [plain, undefined, null, "fib", {}]) {
        const future = trial.shared.submit(notATask as typeof double, 1)
        isIn(future, "failed")
        const error = await failsWith(future.result(), NotPortableError, { side: "task" })
        assert.match(error.message, /Task\.module/)
      }
      const refusedMap = trial.shared.map(plain as unknown as Task.Call, [1, 2] as never)
      await failsWith(Promise.resolve(refusedMap.next()), NotPortableError, { side: "task" })
    }
  ),
  law(
    "A refused call captures nothing: the same objects can be handed in again",
    { promises: [2, 3] },
    async (trial) => {
      const bytes = new Uint8Array(4_096).fill(3)
      await failsWith(trial.shared.run(pair, bytes, () => 1), NotPortableError, { path: "args[1]" })
      assert.equal(bytes.length, 4_096)
      assert.deepEqual(await trial.shared.run(pair, bytes, add.length), [bytes, 2])
    }
  )
])
