/** Calls of named clients that are cancelled and interrupted: each has one outcome, the same for everyone who asks. */
import { fc, it } from "@fast-check/vitest"
import { Broker, Cluster } from "@futures/cluster-executor"
import { CancelledError, InvalidStateError } from "@futures/core"
import type { Future } from "@futures/core"
import { jetstreamManager } from "@nats-io/jetstream"
import assert from "node:assert/strict"
import { beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { scene, start, until } from "./bench.ts"
import { echo, hold, holdAndExplain, note, size } from "./tasks.ts"

const names = (lines: ReadonlyArray<string>): Array<string> => lines.map((line) => line.split(" ")[0]!)

const outcome = async (future: Future<unknown, unknown>): Promise<unknown> => {
  try {
    return await future.exception() ?? await future.result()
  } catch (error) {
    return error
  }
}

describe("Calls that are interrupted at any time", () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await Cluster.start({ engines: 2, slots: 1, client: "anytime" })
    return () => cluster.shutdown()
  })

  it.prop([fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 12 })], { numRuns: 20 })(
    "are cancelled and not run, or run and told as such; whoever asks later is told the same",
    async (turns) => {
      const { lines, notebook } = scene()
      const executor = cluster.executor()
      const futures = turns.map((_, n) => executor.submit(note, notebook, `call-${n}`))
      const stopped = await Promise.all(futures.map(async (future, n) => {
        for (let turn = 0; turn < turns[n]!; turn++) await new Promise((resolve) => setImmediate(resolve))
        return future.interrupt()
      }))
      const outcomes = await Promise.all(futures.map(outcome))
      const ran = names(lines())
      expect(new Set(ran).size).toBe(ran.length)
      for (const [n, ended] of outcomes.entries()) {
        if (ended instanceof CancelledError) expect(stopped[n]).toBe(true)
        else {
          expect(ended).toBe(`call-${n}`)
          expect(ran).toContain(`call-${n}`)
        }
      }
      const later = await Promise.all(futures.map(({ info }) => outcome(cluster.future(info.id))))
      for (const [n, ended] of later.entries()) {
        // One that was stopped before it left was never told to the broker.
        const unknown = ended instanceof InvalidStateError && outcomes[n] instanceof CancelledError
        // The message names the call, which is known by its number alone later.
        if (unknown) continue
        if (ended instanceof CancelledError) expect(ended.reason).toBe((outcomes[n] as CancelledError).reason)
        else expect(ended).toBe(outcomes[n])
      }
    }
  )
})

test("The reason of interrupt() reaches the task of a call that the broker keeps", async () => {
  const cluster = await start({ engines: 1, slots: 1, client: "explained" })
  const { lines, notebook, written } = scene()
  const future = cluster.executor().submit(holdAndExplain, notebook, "running")
  await written(1)
  const reason = new RangeError("closed")
  assert.equal(await future.interrupt({ reason }), true)
  assert.equal((await outcome(future) as CancelledError).cause, reason)
  assert.equal(lines()[1], "RangeError: closed")
})

test("interrupt() stops a call that runs, and takes out one that waits, with its pieces; both have ended for others too", async () => {
  const cluster = await start({ engines: 1, slots: 1, client: "stopped", broker: { maxPayload: 2 ** 16 } })
  const { gate, lines, notebook, written } = scene()
  const executor = cluster.executor()
  const running = executor.submit(hold, notebook, "running", gate)
  await written(1)
  const waiting = executor.submit(note, notebook, "waiting")
  const long = executor.submit(echo<Uint8Array>, new Uint8Array(2 ** 18))
  const manager = await jetstreamManager(cluster.client.bus.nats)
  const messages = async (stream: string) => (await manager.streams.info(stream)).state.messages
  while (await messages("CF_default_CALLS") < 3) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(waiting.cancel(), false)
  assert.deepEqual(await Promise.all([waiting.interrupt(), long.interrupt()]), [true, true])
  assert.equal(await running.interrupt({ grace: 50 }), true)
  await using second = await Cluster.connect({ ...cluster.connection, client: "stopped" })
  for (const future of [running, waiting, long]) {
    assert.ok(await outcome(future) instanceof CancelledError)
    assert.ok(await outcome(second.future(future.info.id)) instanceof CancelledError)
  }
  assert.equal(await messages("CF_default_ARGS"), 0)
  assert.equal(await (await second.resubmit<string>(waiting.info.id)).result(), "waiting")
  assert.deepEqual(names(lines()), ["running", "waiting"])
})

test("A call of an earlier program is interrupted by the next one", async () => {
  const cluster = await start({ engines: 1, slots: 1 })
  const { gate, lines, notebook, open, written } = scene()
  const first = await Cluster.connect({ ...cluster.connection, client: "earlier" })
  const executor = first.executor()
  const futures = ["running", "waiting"].map((name) => executor.submit(hold, notebook, name, gate))
  for (const future of futures) future.onDone(() => {})
  await written(1)
  await first.leave()
  await using second = await Cluster.connect({ ...cluster.connection, client: "earlier" })
  for (const { info: { id } } of futures.toReversed()) {
    const future = second.future(id)
    await until(() => future.running())
    assert.equal(await future.interrupt({ grace: 50 }), true)
    assert.ok(await outcome(future) instanceof CancelledError)
  }
  open()
  assert.equal(await second.executor().run(note, notebook, "next"), "next")
  assert.deepEqual(names(lines()), ["running", "next"])
})

test("cancel() takes back what the broker does not have yet, at once", async () => {
  const broker = await Broker.start({ sync: "interval" })
  onTestFinished(() => broker.stop())
  const cluster = await start({ engines: 1, slots: 1, broker, client: "withdrawn" })
  const { lines, notebook } = scene()
  const executor = cluster.executor()
  assert.equal(await executor.run(note, notebook, "before"), "before")
  await broker.kill()
  await until(() => cluster.client.bus.since === undefined)
  const futures = Array.from({ length: 5 }, (_, n) => executor.submit(note, notebook, `call-${n}`))
  await until(() => futures.every((future) => future.running()))
  const cancelled = futures.filter((_, n) => n % 2 === 0)
  for (const future of cancelled) {
    assert.equal(future.cancel(), true)
    assert.ok(future.cancelled())
  }
  await broker.restart()
  assert.deepEqual(await Promise.all([futures[1]!.result(), futures[3]!.result()]), ["call-1", "call-3"])
  for (const future of cancelled) assert.ok(await outcome(future) instanceof CancelledError)
  assert.deepEqual(names(lines()), ["before", "call-1", "call-3"])
  assert.equal(executor.stats().running, 0)
})

test("Of many calls those run that cancel() leaves alone, and no others", async () => {
  const cluster = await start({ engines: 1, slots: 2, client: "window" })
  const { lines, notebook } = scene()
  const executor = cluster.executor()
  await executor.ready()
  const futures = Array.from({ length: 600 }, (_, n) => executor.submit(note, notebook, `call-${n}`))
  await until(() => futures.every((future) => future.running()))
  const left = futures.filter((future) => !future.cancel())
  assert.ok(left.length > 0 && left.length < futures.length, `${left.length}`)
  const ran = await Promise.all(left.map((future) => future.result()))
  assert.deepEqual(names(lines()).toSorted(), ran.toSorted())
  await executor.shutdown()
  assert.deepEqual(lines().length, left.length)
})

test("So many bytes are on their way at a time, and what is behind them can still be cancelled", async () => {
  const cluster = await start({ engines: 1, slots: 1, client: "bytes" })
  const executor = cluster.executor()
  const futures = Array.from({ length: 80 }, () => executor.submit(size, new Uint8Array(2 ** 20)))
  await until(() => futures.every((future) => future.running()))
  const left = futures.filter((future) => !future.cancel())
  assert.ok(left.length < futures.length)
  for (const future of left) assert.equal(await future.result(), 2 ** 20)
})
