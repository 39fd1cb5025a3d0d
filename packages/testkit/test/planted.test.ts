/** Executors with a mistake on purpose: each must be caught by the law that forbids it, or the law proves nothing. */
import { InlineExecutor } from "@futures/core"
import type { Executor, ExecutorClass, Future, Items, MapOptions, ShutdownOptions, Task } from "@futures/core"
import { contract, laws, verify } from "@futures/testkit"
import type { Verdict } from "@futures/testkit"
import { expect, test } from "vitest"
import { waitFor } from "../src/tasksSignals.ts"

const verdictOf = async (executor: ExecutorClass, name: string): Promise<Verdict> => {
  const named = contract.flatMap((set) => set.laws).filter((law) => law.name === name)
  expect(named).toHaveLength(1)
  for await (const verdict of verify({ name: "planted", executor }, { laws: [laws("named", named)] })) return verdict
  throw new Error("No verdict")
}

/** Each mistake, and the law that forbids it. */
const planted: Readonly<Record<string, { readonly law: string; readonly executor: ExecutorClass }>> = {
  "sends arguments as JSON": {
    law: "The result of an identity task is what structuredClone makes of its argument",
    executor: class extends InlineExecutor {
      override run<F extends Task.Call>(task: F, ...args: Task.Args<F>): Promise<Task.Success<F>> {
        return super.run(task, ...JSON.parse(JSON.stringify(args, (_, value) => typeof value === "bigint" ? 0 : value)))
      }
    }
  },
  "throws at the caller": {
    law: "A plain function is refused with what to write instead, and never thrown at the caller",
    executor: class extends InlineExecutor {
      override submit<F extends Task.Call>(task: F, ...args: Task.Args<F>): Future<Task.Success<F>, Task.Failure<F>> {
        if (!("~futures/Task" in Object(task))) throw new TypeError("Not a task")
        return super.submit(task, ...args)
      }
    }
  },
  "runs each call twice": {
    law: "Each call runs at most once",
    executor: class extends InlineExecutor {
      override run<F extends Task.Call>(task: F, ...args: Task.Args<F>): Promise<Task.Success<F>> {
        return super.run(task, ...args).then(() => super.run(task, ...args))
      }
    }
  },
  "says that it cancelled, and did not": {
    law: "A cancelled pending call never runs, and the others run in order",
    executor: class extends InlineExecutor {
      override submit<F extends Task.Call>(task: F, ...args: Task.Args<F>): Future<Task.Success<F>, Task.Failure<F>> {
        return Object.assign(super.submit(task, ...args), { cancel: () => true })
      }
    }
  },
  "tells callbacks twice": {
    law: "Every future settles exactly once, with its own outcome, whatever happens to its neighbours",
    executor: class extends InlineExecutor {
      override submit<F extends Task.Call>(task: F, ...args: Task.Args<F>): Future<Task.Success<F>, Task.Failure<F>> {
        const future = super.submit(task, ...args)
        const onDone = future.onDone.bind(future)
        return Object.assign(future, {
          onDone: (callback: Parameters<typeof onDone>[0]) => {
            onDone(callback)
            onDone(callback)
          }
        })
      }
    }
  },
  "yields results as they come": {
    law: "Ordered, map waits for the first; unordered, it yields what is there",
    executor: class extends InlineExecutor {
      override map<F extends Task.Call>(
        task: F,
        items: Items<F>,
        options?: MapOptions
      ): AsyncIterableIterator<Task.Success<F>> {
        return super.map(task, items, { ...options, ordered: false })
      }
    }
  },
  "reads its input to the end": {
    law: "map reads at most bufferSize items ahead of what it has yielded",
    executor: class extends InlineExecutor {
      override map<F extends Task.Call>(
        task: F,
        items: Items<F>,
        options?: MapOptions
      ): AsyncIterableIterator<Task.Success<F>> {
        return super.map(task, [...items as Iterable<Task.Args<F>[0]>], options)
      }
    }
  },
  "does not wait at shutdown": {
    law: "shutdown() waits for everything that was handed in, and lets it run",
    executor: class extends InlineExecutor {
      override shutdown(_?: ShutdownOptions): Promise<void> {
        return this.terminate()
      }
    }
  },
  "forgets to free the worker of a call that was stopped": {
    law: "interrupt() lets a running task clean up, and resolves true once it has stopped",
    executor: class extends InlineExecutor {
      override submit<F extends Task.Call>(task: F, ...args: Task.Args<F>): Future<Task.Success<F>, Task.Failure<F>> {
        const future = super.submit(task, ...args)
        return Object.assign(future, { interrupt: () => Promise.resolve(true) })
      }
    }
  },
  "drops the reason of interrupt()": {
    law: "The reason given to interrupt() is the cause of the caller's error, and the reason of the task's signal",
    executor: class extends InlineExecutor {
      override submit<F extends Task.Call>(task: F, ...args: Task.Args<F>): Future<Task.Success<F>, Task.Failure<F>> {
        const future = super.submit(task, ...args)
        const interrupt = future.interrupt.bind(future)
        return Object.assign(future, { interrupt: () => interrupt() })
      }
    }
  }
}

test.for(Object.entries(planted))("An executor that %s is caught", async ([, { executor, law }]) => {
  expect(await verdictOf(InlineExecutor, law)).toMatchObject({ verdict: "kept" })
  expect(await verdictOf(executor, law)).toMatchObject({ verdict: "broken" })
})

test("What breaks a property is reported with the seed and the path that lead to it again", async () => {
  const verdict = await verdictOf(planted["sends arguments as JSON"]!.executor, planted["sends arguments as JSON"]!.law)
  expect(verdict).toMatchObject({ error: { message: expect.stringMatching(/seed: -?\d+, path: "[\d:]+"/) } })
})

test("What a law leaves open is closed, also when the law is broken", async () => {
  const opened: Array<Executor> = []
  const broken = laws("broken", [{
    name: "A law that is broken",
    promises: [],
    needs: [],
    check: async (trial) => {
      opened.push(trial.shared, trial.open())
      const signals = await trial.signals()
      for (const executor of opened) executor.submit(waitFor, signals.port, signals.word())
      throw new Error("broken")
    }
  }])
  for await (const { verdict } of verify({ name: "inline", executor: InlineExecutor }, { laws: [broken] })) {
    expect(verdict).toBe("broken")
  }
  expect(opened.map((executor) => executor.stats().workers)).toEqual([0, 0])
  expect(opened.map((executor) => executor.submit(waitFor, 0, "").state)).toEqual(["failed", "failed"])
})
