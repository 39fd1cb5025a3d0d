/** What calls of named clients have besides arguments and outcome: what they report and write, what their workers are to be, where they may run. */
import { fc, it } from "@fast-check/vitest"
import { Cluster } from "@futures/cluster-executor"
import { BrokenExecutorError } from "@futures/core"
import assert from "node:assert/strict"
import { beforeAll, describe, expect, test } from "vitest"
import { readingOutput } from "../../testkit/src/reading.ts"
import { scene, start } from "./bench.ts"
import { prepare, restore, store, surroundings, tell, where } from "./tasks.ts"

const collect = async (reports: AsyncIterable<unknown>): Promise<Array<unknown>> => {
  const collected: Array<unknown> = []
  for await (const report of reports) collected.push(report)
  return collected
}

describe("What a call reports and writes", () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await Cluster.start({ engines: 1, slots: 2, client: "telling", broker: { maxPayload: 2 ** 16 } })
    return () => cluster.shutdown()
  })

  const line = fc.oneof(
    { arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }), weight: 4 },
    fc.integer({ min: 1, max: 3 }).map((n) => "long ".repeat(n * 10_000))
  )

  it.prop([fc.array(line, { maxLength: 8 })], { numRuns: 20 })(
    "arrives in order, before its future settles; what is reported and longer than a message is told of on stderr",
    async (lines) => {
      const { gate, open } = scene()
      let written = ""
      let complaints = ""
      let reports: Array<unknown> = []
      complaints = await readingOutput("stderr", async (errors) => {
        written = await readingOutput("stdout", async (text) => {
          const future = cluster.executor().submit(tell, lines, gate)
          const reporting = collect(future.progress())
          open()
          expect(await future.result()).toBe(lines.length)
          expect(text()).toBe(lines.map((each) => `${each}\n`).join(""))
          for (const each of lines) expect(errors()).toContain(`${each}!\n`)
          reports = await reporting
        })
      })
      const short = lines.filter((each) => each.length < 60_000)
      expect(written.length).toBe(lines.reduce((sum, each) => sum + each.length + 1, 0))
      expect(reports).toEqual(short.map((each) => ({ line: each })))
      expect(complaints.match(/report of progress .* was not told/g) ?? []).toHaveLength(lines.length - short.length)
    }
  )

  it("arrives at the next program of that name as well, which asks for the call", async () => {
    const { gate, open } = scene()
    const first = await Cluster.connect({ ...cluster.connection, client: "leaving" })
    const job = first.executor().submit(tell, ["a", "b"], gate)
    job.onDone(() => {})
    await first.leave()
    await using second = await Cluster.connect({ ...cluster.connection, client: "leaving" })
    await readingOutput("stderr", async () => {
      const text = await readingOutput("stdout", async () => {
        const future = second.future<number>(job.info.id)
        const reports = collect(future.progress())
        await second.executor().run(where)
        open()
        assert.equal(await future.result(), 2)
        assert.deepEqual(await reports, [{ line: "a" }, { line: "b" }])
      })
      assert.equal(text, "a\nb\n")
    })
  })
})

test("An initializer and a context go with the call, also when it is handed in again; workers are shared by those with the same", async () => {
  const cluster = await start({ engines: 1, slots: 1, client: "terms" })
  const { lines, notebook } = scene()
  const context = { capture: () => store.getStore(), restore }
  const executor = cluster.executor({ initializer: [prepare, notebook, "ready"], context })
  const futures = ["a", "b"].map((value) => store.run(value, () => executor.submit(surroundings)))
  assert.deepEqual(await Promise.all(futures.map((future) => future.result())), [["ready", "a"], ["ready", "b"]])
  assert.equal(lines().length, 1)
  assert.deepEqual(await cluster.executor().run(surroundings), [undefined, undefined])
  assert.deepEqual(await (await cluster.resubmit(futures[1]!.info.id)).result(), ["ready", "b"])
})

test("A call whose initializer fails ends with BrokenExecutorError; others, and the next that is given what it needs, run", async () => {
  const cluster = await start({ engines: 1, slots: 1, client: "broken" })
  const { lines, notebook } = scene()
  const broken = cluster.executor({ initializer: [prepare, notebook, undefined] })
  // Each call starts a worker three times.
  for (const count of [3, 6]) {
    const error = await broken.submit(surroundings).exception()
    assert.ok(error instanceof BrokenExecutorError, String(error))
    assert.ok(error.cause instanceof RangeError, String(error.cause))
    assert.equal(lines().length, count)
  }
  const whole = cluster.executor({ initializer: [prepare, notebook, 1] })
  assert.deepEqual(await whole.run(surroundings), [1, undefined])
})

test("A call goes to an engine that has all of its labels", async () => {
  const cluster = await start({ engines: 1, slots: 1, client: "labels" })
  const [both] = await Promise.all([
    cluster.addEngine({ labels: { gpu: "yes", zone: "a" } }),
    cluster.addEngine({ labels: { gpu: "yes" } }),
    cluster.addEngine({ labels: { zone: "a", gpu: "no" } })
  ])
  const executor = cluster.executor({ labels: { zone: "a", gpu: "yes" } })
  for (let n = 0; n < 5; n++) assert.equal(await executor.run(where), both.pid)
})
