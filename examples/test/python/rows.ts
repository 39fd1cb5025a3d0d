/** The rows of `docs/coming-from-python.md`, by the words of Python that they begin with. */
import type { Cluster } from "@futures/cluster-executor"
import type { Executor } from "@futures/core"
import { setTimeout } from "node:timers/promises"

type Check<A> = (on: A) => Promise<void> | void

/** Rows that are run on an executor of each backend, or bring their own: those take no argument. */
export const rows = new Map<string, Check<Executor>>()
/** Rows that are run on a cluster, and an executor of it. */
export const clusterRows = new Map<string, Check<{ readonly cluster: Cluster; readonly executor: Executor }>>()

const put = <A>(all: Map<string, Check<A>>) => (python: string, check: Check<A>): void => {
  if (rows.has(python) || clusterRows.has(python)) throw new Error(`Two rows for ${python}`)
  all.set(python, check)
}
export const row = put(rows)
export const clusterRow = put(clusterRows)

export const xs = [1, 2, 3]
export const pairs: Array<[number, number]> = [[2, 3], [3, 2]]

export const all = async <A>(results: AsyncIterable<A>): Promise<Array<A>> => {
  const found: Array<A> = []
  for await (const result of results) found.push(result)
  return found
}

export const running = async (job: { readonly running: () => boolean }): Promise<void> => {
  while (!job.running()) await setTimeout(1)
}
