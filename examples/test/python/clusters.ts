/** ipyparallel, row by row, on a cluster of two engines. */
import { Cluster } from "@futures/cluster-executor"
import { asCompleted, CancelledError, gather, Task, TaskTimeoutError, wait } from "@futures/core"
import { expect } from "vitest"
import { fail, greet, hold, OutOfStock, pow, report, setUp, square, squares, where } from "../../tasks/python.ts"
import { all, clusterRow, running, xs } from "./rows.ts"

clusterRow("ipp.Cluster(n=2), start_and_connect_sync()", async () => {
  await using cluster = await Cluster.start({ engines: 2, slots: 1 })
  expect(cluster.engines()).toHaveLength(2)
})

clusterRow("ipp.Client()", async ({ cluster }) => {
  await using client = await Cluster.connect(cluster.connection)
  expect(await client.waitForEngines(2)).toHaveLength(2)
})

clusterRow("rc.ids", ({ cluster }) => {
  const ids = cluster.engines().map(({ id }) => id)
  expect(new Set(ids).size).toBe(2)
})

clusterRow("rc.wait_for_engines(2)", async ({ cluster }) => {
  expect(await cluster.waitForEngines(2)).toHaveLength(2)
})

clusterRow("rc[0].apply_sync(square, 3)", async ({ cluster }) => {
  const { id } = cluster.engines()[0]!
  expect(await cluster.direct(id).run(square, 3)).toBe(9)
})

clusterRow("rc[:].apply_async(where)", async ({ cluster }) => {
  const jobs = cluster.broadcast(where)
  const places = await gather(jobs.values())
  expect(new Set(places.map(({ pid }) => pid)).size).toBe(2)
})

clusterRow("rc.load_balanced_view(), rc.executor()", async ({ cluster }) => {
  await using executor = cluster.executor()
  expect(await executor.run(square, 3)).toBe(9)
})

clusterRow("view.apply(pow, 2, 8), view.apply_sync(pow, 2, 8)", async ({ executor }) => {
  expect(await executor.run(pow, 2, 8)).toBe(256)
})

clusterRow("view.apply_async(pow, 2, 8)", async ({ executor }) => {
  const job = executor.submit(pow, 2, 8)
  expect(await job.result()).toBe(256)
})

clusterRow("view.map(square, xs), view.map_sync(square, xs), view.imap(square, xs)", async ({ executor }) => {
  expect(await all(executor.map(square, xs))).toEqual([1, 4, 9])
})

clusterRow("view.map_async(square, xs)", async ({ executor }) => {
  expect(await gather(xs.map((x) => executor.submit(square, x)))).toEqual([1, 4, 9])
})

clusterRow("view.map(square, xs, ordered=False)", async ({ executor }) => {
  const found = await all(executor.map(square, xs, { ordered: false }))
  expect(found.toSorted()).toEqual([1, 4, 9])
})

clusterRow("view.scatter(\"xs\", xs); view.gather(\"xs\")", async ({ cluster }) => {
  expect(await cluster.gather(cluster.scatter(squares, xs))).toEqual([1, 4, 9])
})

clusterRow("view.push({\"word\": \"hello\"}), view.execute(code), %px", async ({ cluster }) => {
  await using executor = cluster.executor({ initializer: [setUp, "hello"] })
  expect(await executor.run(greet, { name: "ada" })).toBe("hello, ada")
})

clusterRow("ar.get(), ar.get(timeout=1)", async ({ executor }) => {
  const job = executor.submit(square, 3)
  expect(await job.result({ timeout: "1 minute" })).toBe(9)
})

clusterRow("ar.ready(), ar.successful(), ar.wait()", async ({ executor }) => {
  const job = executor.submit(square, 3)
  expect(job.done()).toBe(false)
  expect(await job.wait()).toBe(true)
  expect(job.successful()).toBe(true)
})

clusterRow("rc.wait(jobs)", async ({ executor }) => {
  const jobs = xs.map((x) => executor.submit(square, x))
  expect((await wait(jobs)).done.size).toBe(3)
})

clusterRow("for result in ar:", async ({ executor }) => {
  const jobs = xs.map((x) => executor.submit(square, x))
  const results: Array<number> = []
  for await (const job of asCompleted(jobs)) results.push(await job.result())
  expect(results.toSorted()).toEqual([1, 4, 9])
})

clusterRow("ar.wait_interactive(), ar.progress", async ({ executor }) => {
  let latest = 0
  await all(executor.map(square, xs, { onProgress: ({ done }) => latest = done }))
  expect(latest).toBe(3)
})

clusterRow("publish_data(value)", async ({ executor }) => {
  const job = executor.submit(report)
  expect(await all(job.progress())).toEqual(["half way"])
})

clusterRow("ar.abort()", async ({ executor }) => {
  const job = executor.submit(square, 3)
  expect(job.cancel()).toBe(true)
  await expect(job.result()).rejects.toBeInstanceOf(CancelledError)
})

clusterRow("rc.send_signal(SIGINT)", async ({ executor }) => {
  const job = executor.submit(hold)
  await running(job)
  expect(await job.interrupt({ grace: 10 })).toBe(true)
})

clusterRow("ar.engine_id, ar.metadata", async ({ cluster, executor }) => {
  const job = executor.submit(square, 3)
  await job.wait()
  expect(cluster.engines().map(({ id }) => id)).toContain(job.info.engine)
})

clusterRow("view.retries = 2", async ({ executor }) => {
  const job = executor.submit(Task.with(fail, { retry: 2 }))
  expect(await job.exception()).toBeInstanceOf(OutOfStock)
  expect(job.info.attempt).toBe(3)
})

clusterRow("view.timeout = 1, TaskTimeout", async ({ cluster }) => {
  await using executor = cluster.executor({ maxWorkers: 1 })
  const held = executor.submit(hold)
  const late = executor.submit(Task.with(square, { queueTimeout: 10 }), 3)
  expect(await late.exception()).toBeInstanceOf(TaskTimeoutError)
  await held.interrupt({ grace: 10 })
})

clusterRow("RemoteError, CompositeError", async ({ executor }) => {
  await expect(executor.run(fail)).rejects.toBeInstanceOf(OutOfStock)
})

clusterRow("cluster.stop_cluster_sync(), rc.shutdown(hub=True)", async () => {
  const cluster = await Cluster.start({ engines: 1, slots: 1 })
  await cluster.shutdown()
  await expect(Cluster.connect(cluster.connection)).rejects.toThrow("connection refused")
})
