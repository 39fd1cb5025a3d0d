/** Tasks that are defined by their source, for sessions without a module. */
import { InvalidStateError, Task } from "@futures/core"
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { collect, failsWith, isError, rejection } from "../expect.ts"
import { law, laws, property } from "../Law.ts"

/** A function as a user types it, whatever compiles these laws. */
const typed = (source: string): (...args: Array<any>) => any => new Function(`return (${source})`)()

export const interactive = laws("interactive", [
  law(
    "A function defined by its source runs in the workers of an interactive executor",
    { promises: [1] },
    async (trial) => {
      const executor = trial.open({ maxWorkers: 1, interactive: true })
      const cases: ReadonlyArray<readonly [source: string, args: ReadonlyArray<unknown>, result: unknown]> = [
        ["(n) => n * 2", [21], 42],
        ["async ({ a = 1, ...rest }, [b]) => a + b + rest.c", [{ c: 3 }, [2]], 6],
        ["function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) }", [10], 55],
        ["async (path) => (await import('node:path')).basename(path)", ["/a/b"], "b"],
        ["(path) => require('node:path').dirname(path)", ["/a/b"], "/a"],
        ["() => new URL('http://a/b').pathname", [], "/b"]
      ]
      for (const [source, args, result] of cases) {
        assert.deepEqual(await executor.run(Task.define(typed(source)), ...args), result, source)
      }
      const held = typed("() => ({ async twice(n) { return 2 * n } })")() as { twice: (n: number) => Promise<number> }
      assert.equal(await executor.run(Task.define(held.twice), 4), 8)
      assert.deepEqual(await collect(executor.map(Task.define(typed("(n) => n * n")), [1, 2, 3])), [1, 4, 9])
      const count = Task.define(
        typed("function* count(n) { for (let i = 0; i < n; i++) yield i }") as (n: number) => Generator<number>
      )
      assert.deepEqual(await collect(executor.stream(count, 3)), [0, 1, 2])
      const error = isError(
        await rejection(executor.run(Task.define(typed("function bad() { throw new RangeError('no') }")))),
        RangeError
      )
      assert.match(error.stack!, /at bad \(/)
    }
  ),
  property(
    "A function defined by its source gives the same result as when it is called here",
    { promises: [1], runs: 5 },
    [fc.integer({ min: 0, max: 9 }), fc.array(fc.integer(), { maxLength: 3 })],
    async (trial, seed, numbers) => {
      const source =
        `(numbers) => { let sum = ${seed}; for (const n of numbers) { const each = n * ${seed}; sum += each } return sum }`
      const task = Task.define(typed(source))
      const executor = trial.open({ maxWorkers: 1, interactive: true })
      assert.equal(await executor.run(task, numbers), task(numbers))
    }
  ),
  law("An executor that is not interactive refuses a function defined by its source, and says what to do", {
    promises: [1]
  }, async (trial) => {
    const future = trial.shared.submit(Task.define(typed("(n) => n")), 1)
    const { message } = await failsWith(future.result(), InvalidStateError)
    assert.match(message, /\{ interactive: true \}.*Task\.module/)
  }),
  law("A function that uses variables of its surroundings is refused by their names", { promises: [1] }, () => {
    const refused: ReadonlyArray<readonly [source: string, names: string]> = [
      ["(price) => price * rate", "\"rate\""],
      ["() => fs.readFileSync(path)", "\"fs\", \"path\""],
      ["() => { counter++ }", "\"counter\""],
      ["() => this.size", "\"this\""],
      ["({ a = standard }) => a", "\"standard\""],
      ["() => { { let inner = 1 } return inner }", "\"inner\""]
    ]
    for (const [source, names] of refused) {
      assert.throws(
        () => Task.define(typed(source)),
        (error) => error instanceof InvalidStateError && error.message.includes(`uses ${names} from outside`),
        source
      )
    }
    for (
      const [source, problem] of [["class A {}", "is a class"], ["Math.max", "has no source"], [
        "(() => 1).bind(null)",
        "has no source"
      ]] as const
    ) {
      assert.throws(
        () => Task.define(typed(source)),
        (error) => error instanceof InvalidStateError && error.message.includes(problem),
        source
      )
    }
    return Promise.resolve()
  })
])
