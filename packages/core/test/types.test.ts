import { asCompleted, Executor, Future, gather, InlineExecutor, Task, wait } from "@futures/core"
import type { ExecutorOptions, SubmittedFuture, TaskError, WaitResult } from "@futures/core"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { pipe } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { expectTypeOf, test } from "vitest"

class NotFound {
  readonly _tag = "NotFound"
}

const tasks = Task.module(import.meta, {
  who: async (seconds: number) => `slept ${seconds}`,
  fib: (n: number): number => n < 2 ? n : tasks.fib(n - 1) + tasks.fib(n - 2),
  echo: <A>(value: A): A => value,
  find: (id: string): Effect.Effect<number, NotFound> => id === "" ? Effect.fail(new NotFound()) : Effect.succeed(1),
  count: function*(to: number) {
    for (let n = 0; n < to; n++) yield n
  },
  drip: (to: number): Stream.Stream<string, NotFound> => Stream.make(String(to)),
  optional: (a: number, b?: string) => `${a}${b}`,
  both: (a: number, b: number) => a + b,
  none: () => 1,
  rest: (...words: Array<string>) => words.join(),
  parsed: (text: string) => JSON.parse(text)
})

declare const executor: Executor
/** The compiler reads it; nothing runs it. */
const compiled = (program: () => void): unknown => program

test("arguments, results and typed failures are inferred", () => {
  compiled(() => {
    expectTypeOf(executor.submit(tasks.who, 1)).toEqualTypeOf<SubmittedFuture<string, never>>()
    expectTypeOf(executor.submit(tasks.find, "a")).toEqualTypeOf<SubmittedFuture<number, NotFound>>()
    expectTypeOf(executor.submit(tasks.find, "a").result()).toEqualTypeOf<Promise<number>>()
    expectTypeOf(executor.starmap(tasks.optional, [[1], [1, "b"]])).toEqualTypeOf<AsyncIterableIterator<string>>()
    expectTypeOf(Executor.map(tasks.find, ["a"])).toEqualTypeOf<
      Stream.Stream<number, NotFound | TaskError, Executor>
    >()
    expectTypeOf(executor.submit(tasks.who, 1)).not.toExtend<PromiseLike<unknown>>()
    expectTypeOf(executor.run(tasks.fib, 3)).toEqualTypeOf<Promise<number>>()
    expectTypeOf(executor.submit(tasks.parsed, "1").result()).toEqualTypeOf<Promise<any>>()
    expectTypeOf(executor.map(tasks.fib, [1])).toEqualTypeOf<AsyncIterableIterator<number>>()
    executor.submit(tasks.optional, 1)
    executor.submit(tasks.optional, 1, "b")
    expectTypeOf(Executor.run(tasks.find, "a")).toEqualTypeOf<Effect.Effect<number, NotFound | TaskError, Executor>>()
    expectTypeOf(Future.result(executor.submit(tasks.find, "a"))).toEqualTypeOf<
      Effect.Effect<number, NotFound | TaskError>
    >()
    const future = executor.submit(tasks.find, "a")
    for (const stop of [Future.interrupt(future), Future.interrupt(future, { grace: 5 })]) {
      expectTypeOf(stop).toEqualTypeOf<Effect.Effect<boolean>>()
    }
    expectTypeOf(pipe(future, Future.interrupt({ grace: "5 seconds" }))).toEqualTypeOf<Effect.Effect<boolean>>()
    expectTypeOf(Effect.forEach([future], Future.interrupt)).toEqualTypeOf<Effect.Effect<Array<boolean>>>()
  })
})

test("a generic task is instantiated where it is handed in", () => {
  compiled(() => {
    expectTypeOf(executor.submit(tasks.echo<number>, 5)).toEqualTypeOf<SubmittedFuture<number, never>>()
    // @ts-expect-error a string where a number was said
    executor.submit(tasks.echo<number>, "5")
  })
})

test("what is wrong does not compile", () => {
  compiled(() => {
    // @ts-expect-error a wrong argument
    executor.submit(tasks.who, "1")
    // @ts-expect-error a missing argument
    executor.submit(tasks.who)
    // @ts-expect-error an argument too many
    executor.submit(tasks.who, 1, 2)
    // @ts-expect-error a plain function
    executor.submit((n: number) => n, 1)
    // @ts-expect-error a task of two required arguments
    executor.map(tasks.both, [1])
    // @ts-expect-error a task of two required arguments
    executor.mapSettled(tasks.both, [1])
    // @ts-expect-error a task of two required arguments
    Executor.map(tasks.both, [1])
    // @ts-expect-error a task of two required arguments
    Executor.mapExit(tasks.both, [1])
    // @ts-expect-error a backend that is not among those given
    Executor.open({ inline: InlineExecutor }, { backend: "thread" })
    // @ts-expect-error items of another type
    executor.map(tasks.fib, ["1"])
    // @ts-expect-error tuples of another type
    executor.starmap(tasks.optional, [["1"]])
    // @ts-expect-error no such option
    Task.with(tasks.who, { patience: 1 })
    // @ts-expect-error no such executor option
    expectTypeOf(new InlineExecutor({ workers: 1 }))
  })
})

class Ledger extends Context.Service<Ledger, { readonly open: boolean }>()("Ledger") {}
class Clock extends Context.Service<Clock, { readonly now: number }>()("Clock") {}

test("services that tasks require, besides Executor, are given by the layer of their module", () => {
  const audit = (): Effect.Effect<boolean, never, Ledger> => Effect.map(Ledger, ({ open }) => open)
  const nested = (): Effect.Effect<number, TaskError, Executor> => Executor.run(tasks.fib, 3)
  const ticks = (): Stream.Stream<number, never, Clock> => Stream.fromEffect(Effect.map(Clock, ({ now }) => now))
  const ledger = Layer.succeed(Ledger, { open: true })
  const clock = Layer.succeed(Clock, { now: 1 })
  compiled(() => {
    Task.module(import.meta, { nested })
    Task.module(import.meta, { audit, nested }, { layer: ledger })
    Task.module(import.meta, { audit, ticks }, { layer: Layer.merge(ledger, clock) })
    // @ts-expect-error no layer gives the ledger
    Task.module(import.meta, { audit })
    // @ts-expect-error options without a layer
    Task.module(import.meta, { audit }, { errors: [] })
    // @ts-expect-error a layer of something else
    Task.module(import.meta, { audit }, { layer: clock })
    // @ts-expect-error a layer that gives one of two
    Task.module(import.meta, { audit, ticks }, { layer: ledger })
    // @ts-expect-error a layer that requires a service itself
    Task.module(import.meta, { audit }, { layer: Layer.effect(Ledger, Effect.map(Clock, () => ({ open: true }))) })
  })
})

test("a parameter without a type does not compile", () => {
  compiled(() => {
    // @ts-expect-error an implicit any
    Task.module(import.meta, { shout: (text) => `${text}!` })
    // @ts-expect-error not a function
    Task.module(import.meta, { shout: "!" })
  })
})

test("a task with a required parameter that cannot be sent does not compile where it is submitted", () => {
  const foreign = Task.module(import.meta, {
    call: (fn: () => number) => fn(),
    hex: (bytes: Buffer) => bytes.toString("hex"),
    later: (promise: Promise<number>) => promise,
    token: (token: symbol) => String(token),
    each: function*(fn: () => number) {
      yield fn()
    }
  })
  const sent = Task.module(import.meta, {
    bytes: (bytes: Uint8Array) => bytes.length,
    either: (value: number | (() => number)) => typeof value,
    notify: (n: number, done?: () => void) => done === undefined ? n : 0,
    anything: (value: any) => value as number
  })
  const { readFile } = Task.from<typeof import("node:fs")>("node:fs")
  compiled(() => {
    // @ts-expect-error a function
    executor.submit(foreign.call, () => 3)
    // @ts-expect-error arrives as a Uint8Array, without toString("hex")
    executor.run(foreign.hex, Buffer.from("hi"))
    // @ts-expect-error a Buffer in a map
    executor.map(foreign.hex, [Buffer.from("hi")])
    // @ts-expect-error a promise
    executor.submit(foreign.later, Promise.resolve(1))
    // @ts-expect-error a symbol
    executor.submit(foreign.token, Symbol("token"))
    // @ts-expect-error a function
    executor.stream(foreign.each, () => 3)
    // @ts-expect-error a callback
    executor.submit(readFile, "/tmp/a", () => {})
    executor.submit(sent.bytes, Buffer.from("hi"))
    executor.submit(sent.either, 1)
    executor.submit(sent.notify, 1)
    executor.submit(sent.anything, 1)
  })
})

test("stream takes generators and Streams and nothing else, submit takes neither", () => {
  compiled(() => {
    expectTypeOf(executor.stream(tasks.count, 3)).toEqualTypeOf<AsyncIterableIterator<number>>()
    expectTypeOf(Executor.stream(tasks.drip, 3)).toEqualTypeOf<Stream.Stream<string, NotFound | TaskError, Executor>>()
    // @ts-expect-error a generator
    executor.submit(tasks.count, 3)
    // @ts-expect-error a Stream
    executor.map(tasks.drip, [3])
    // @ts-expect-error no generator
    executor.stream(tasks.who, 1)
  })
})

test("references into a module that is not loaded here are typed by it", () => {
  const { basename } = Task.from<typeof import("node:path")>("node:path")
  compiled(() => {
    expectTypeOf(executor.submit(basename, "/a/b.txt")).toEqualTypeOf<SubmittedFuture<string, never>>()
    // @ts-expect-error a wrong argument
    executor.submit(basename, 1)
  })
})

test("a task is its own function, and options make no other type of it", () => {
  expectTypeOf(tasks.who(1)).toEqualTypeOf<Promise<string>>()
  expectTypeOf(Task.with(tasks.who, { timeout: "5 seconds" })).toEqualTypeOf<typeof tasks.who>()
})

test("a task that can be called with one argument can be mapped", () => {
  compiled(() => {
    executor.map(tasks.optional, [1])
    executor.map(tasks.none, [undefined])
    executor.map(tasks.rest, ["a"])
    executor.map(tasks.echo<number>, [1])
    Executor.mapExit(tasks.fib, Stream.make(1))
    Executor.open({ inline: InlineExecutor }, { backend: "inline" })
  })
})

test("the arguments of an initializer are those of its task", () => {
  compiled(() => {
    const options: ExecutorOptions = {}
    const executors = [
      new InlineExecutor(options),
      new InlineExecutor({ ...options, maxWorkers: 1 }),
      new InlineExecutor({ initializer: [tasks.fib, 5] }),
      new InlineExecutor({ initializer: [tasks.optional, 5] }),
      new InlineExecutor({ initializer: [tasks.none] }),
      new InlineExecutor({ initializer: undefined }),
      // @ts-expect-error a wrong argument
      new InlineExecutor({ initializer: [tasks.fib, "not a number"] }),
      // @ts-expect-error an argument too many
      new InlineExecutor({ initializer: [tasks.fib, 5, 6] }),
      // @ts-expect-error a missing argument
      new InlineExecutor({ initializer: [tasks.both, 5] }),
      // @ts-expect-error no such option
      new InlineExecutor({ initializer: [tasks.none], maxWorker: 1 })
    ]
    // @ts-expect-error a wrong argument
    expectTypeOf(InlineExecutor.layer({ initializer: [tasks.fib, "1"] }))
    // @ts-expect-error a wrong argument
    expectTypeOf(InlineExecutor.make({ initializer: [tasks.fib, "1"] }))
    return executors
  })
})

test("futures of several types are gathered as Promise.all gathers promises", () => {
  compiled(() => {
    const [word, number] = [executor.submit(tasks.who, 1), executor.submit(tasks.find, "a")]
    expectTypeOf(gather([word, number])).toEqualTypeOf<Promise<[string, number]>>()
    expectTypeOf(gather([word, word])).toEqualTypeOf<Promise<[string, string]>>()
    expectTypeOf(gather([])).toEqualTypeOf<Promise<[]>>()
    const list: Array<Future<string>> = [word]
    expectTypeOf(gather(list)).toEqualTypeOf<Promise<Array<string>>>()
    expectTypeOf(gather(new Set(list))).toEqualTypeOf<Promise<Array<string>>>()
    expectTypeOf(wait([word, number])).toEqualTypeOf<Promise<WaitResult<typeof word | typeof number>>>()
    expectTypeOf(wait(list)).toEqualTypeOf<Promise<WaitResult<Future<string>>>>()
    expectTypeOf(Future.gather([word, number])).toEqualTypeOf<
      Effect.Effect<[string, number], NotFound | TaskError>
    >()
    expectTypeOf(Future.gather(list)).toEqualTypeOf<Effect.Effect<Array<string>, TaskError>>()
    void (async () => {
      for await (const future of asCompleted([word, number])) {
        expectTypeOf(future.result()).toEqualTypeOf<Promise<string> | Promise<number>>()
      }
    })
  })
})

test("a future that submit returned cannot be awaited by mistake", () => {
  compiled(async () => {
    // @ts-expect-error result() is to be awaited
    await executor.submit(tasks.who, 1)
    // @ts-expect-error result() is to be awaited
    const started = async () => executor.submit(tasks.who, 1)
    expectTypeOf(Promise.all([executor.submit(tasks.who, 1), 2])).toExtend<Promise<[Future<string>, number]>>()
    const future: Future<string> = executor.submit(tasks.who, 1)
    return [started, future]
  })
})

test("a future of less is a future of more", () => {
  expectTypeOf<Future<1, never>>().toExtend<Future<number, Error>>()
})
