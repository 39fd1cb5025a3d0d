/** An executor with a mistake on purpose: the cells about links must catch it, or they prove nothing. */
import { Cluster, ClusterExecutor } from "@futures/cluster-executor"
import { TaskTimeoutError } from "@futures/core"
import type { ExecutorClass, ExecutorOptions, Future, SubmittedFuture, Task } from "@futures/core"
import { conditionGrid, laws, openLink, verify } from "@futures/testkit"
import { afterAll, beforeAll, expect, test } from "vitest"

let cluster: Cluster
beforeAll(async () => void (cluster = await Cluster.start({ engines: 1, slots: 2 })))
afterAll(() => cluster.shutdown())

/** Milliseconds that a run may seem to take: more than one does, less than one and a round trip of 80. */
const LONGEST_RUN_MS = 150

/** A future whose result is what `change` makes of it. */
const changed = <A, E>(future: Future<A, E>, change: (result: Promise<A>) => Promise<A>): Future<A, E> =>
  new Proxy(future, {
    get: (target, key) => {
      if (key === "result") return () => change(target.result())
      const value = Reflect.get(target, key, target) as unknown
      return typeof value === "function" ? value.bind(target) : value
    }
  })

/** Counts the time on the link as run time. */
const countsLink = (executor: typeof ClusterExecutor): typeof ClusterExecutor =>
  class extends executor {
    override submit<F extends Task.Call>(
      task: F,
      ...args: Task.Args<F>
    ): SubmittedFuture<Task.Success<F>, Task.Failure<F>> {
      const future = super.submit(task, ...args)
      const judge = async <A>(result: Promise<A>): Promise<A> => {
        const value = await result
        const { finishedAt, startedAt } = future.info
        if (finishedAt! - startedAt! > LONGEST_RUN_MS) {
          throw new TaskTimeoutError({ clock: "run", after: LONGEST_RUN_MS })
        }
        return value
      }
      return changed(future as never, judge) as never
    }
  }

/** The grid on an executor, with links that lead to it. */
const verdictOf = async (plant: (executor: typeof ClusterExecutor) => typeof ClusterExecutor, name: string) => {
  const grid = conditionGrid({
    origin: { module: "", name: "" },
    link: async (conditions) => {
      const link = await openLink(cluster.connection.servers[0]!, conditions)
      const { connection, root } = cluster
      class OverLink extends ClusterExecutor {
        constructor(options: ExecutorOptions = {}) {
          super({ ...options, ...connection, root, servers: [link.address] })
        }
      }
      return { executor: plant(OverLink) as ExecutorClass, close: link.close }
    }
  })
  const named = grid.laws.filter((law) => law.name.startsWith(name))
  expect(named).toHaveLength(1)
  const subject = { name: "planted", executor: ClusterExecutor as ExecutorClass }
  for await (const { verdict } of verify(subject, { laws: [laws("named", named)] })) return verdict
  throw new Error("No verdict")
}

test("An executor that counts the time on the link as run time is caught", { timeout: 60_000 }, async () => {
  const cell = "The link takes 40 ms each way, timeout"
  expect(await verdictOf((executor) => executor, cell)).toBe("kept")
  expect(await verdictOf(countsLink, cell)).toBe("broken")
})
