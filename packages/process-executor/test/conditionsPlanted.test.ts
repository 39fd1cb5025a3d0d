/** Executors with a mistake on purpose: the grid of conditions must catch each, or it proves nothing. */
import { TaskTimeoutError } from "@futures/core"
import type { ExecutorClass, Future, Items, MapOptions, SubmittedFuture, Task } from "@futures/core"
import { ProcessExecutor } from "@futures/process-executor"
import { conditionGrid, laws, verify } from "@futures/testkit"
import { expect, test } from "vitest"

const origin = { module: import.meta.resolve("@futures/process-executor"), name: "ProcessExecutor" }
const grid = conditionGrid({ origin })

const verdictOf = async (executor: ExecutorClass, name: string): Promise<string> => {
  const named = grid.laws.filter((law) => law.name.startsWith(name))
  expect(named).toHaveLength(1)
  for await (const { verdict } of verify({ name: "planted", executor }, { laws: [laws("named", named)] })) {
    return verdict
  }
  throw new Error("No verdict")
}

/** Milliseconds after which the impatient executor takes a call for late. */
const PATIENCE_MS = 500

/** Bytes of a view that the cutting executor leaves. */
const LONGEST_BYTES = 64 * 1024

/** A future whose result is what `change` makes of it. */
const changed = <A, E>(future: Future<A, E>, change: (result: Promise<A>) => Promise<A>): Future<A, E> =>
  new Proxy(future, {
    get: (target, key) => {
      if (key === "result") return () => change(target.result())
      const value = Reflect.get(target, key, target) as unknown
      return typeof value === "function" ? value.bind(target) : value
    }
  })

/** Judges the run time-out by the caller's clock, which counts time in which the caller computes. */
class Impatient extends ProcessExecutor {
  override submit<F extends Task.Call>(
    task: F,
    ...args: Task.Args<F>
  ): SubmittedFuture<Task.Success<F>, Task.Failure<F>> {
    const since = performance.now()
    const judge = async <A>(result: Promise<A>): Promise<A> => {
      const value = await result
      if (performance.now() - since > PATIENCE_MS) throw new TaskTimeoutError({ clock: "run", after: PATIENCE_MS })
      return value
    }
    return changed(super.submit(task, ...args) as never, judge) as never
  }
}

/** Takes a worker for dead when it has not answered for a while, and runs its call again. */
class Anxious extends ProcessExecutor {
  override submit<F extends Task.Call>(
    task: F,
    ...args: Task.Args<F>
  ): SubmittedFuture<Task.Success<F>, Task.Failure<F>> {
    const future = super.submit(task, ...args)
    setTimeout(() => {
      if (!future.done()) super.submit(task, ...args)
    }, PATIENCE_MS).unref()
    return future
  }
}

/** Reads ahead without counting bytes. */
class Greedy extends ProcessExecutor {
  override map<F extends Task.Call>(task: F, items: Items<F>, options?: MapOptions) {
    return super.map(task, items, { ...options, bufferSize: 1_000, bufferBytes: Infinity })
  }
}

/** Loses the end of large views. */
class Cutting extends ProcessExecutor {
  override submit<F extends Task.Call>(
    task: F,
    ...args: Task.Args<F>
  ): SubmittedFuture<Task.Success<F>, Task.Failure<F>> {
    const cut = (value: unknown): unknown => value instanceof Uint8Array ? value.subarray(0, LONGEST_BYTES) : value
    return super.submit(task, ...args.map(cut) as Task.Args<F>)
  }
}

test.for<readonly [mistake: string, cell: string, executor: ExecutorClass]>([
  ["judges time-outs by the caller's clock", "The caller computes after I/O, timeout", Impatient],
  ["runs calls again whose worker is silent", "The caller computes after I/O, submit", Anxious],
  ["runs calls again whose worker is silent", "A worker is stopped and continued, submit", Anxious],
  ["reads ahead without counting bytes", "Arguments are large, map:", Greedy],
  ["loses the end of large views", "Arguments are large, submit", Cutting]
])("An executor that %s is caught: %s", async ([, cell, executor]) => {
  expect(await verdictOf(ProcessExecutor, cell)).toBe("kept")
  expect(await verdictOf(executor, cell)).toBe("broken")
})
