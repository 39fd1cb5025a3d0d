/** Calls of named clients that are longer than a message of the broker: cut into pieces, checked when they are put together, gone with the call. */
import { fc, it } from "@fast-check/vitest"
import { Cluster } from "@futures/cluster-executor"
import { NotPortableError } from "@futures/core"
import { jetstream, jetstreamManager } from "@nats-io/jetstream"
import type { JetStreamManager } from "@nats-io/jetstream"
import assert from "node:assert/strict"
import { beforeAll, describe, expect, test } from "vitest"
import { scene, start } from "./bench.ts"
import { bytes, echo, hold } from "./tasks.ts"

const MESSAGE = 2 ** 16

const messages = async (manager: JetStreamManager, stream: "ARGS" | "RES"): Promise<number> =>
  (await manager.streams.info(`CF_default_${stream}`)).state.messages

/** Resolves when a stream holds so many messages. */
const holds = async (manager: JetStreamManager, stream: "ARGS" | "RES", count: number): Promise<void> => {
  while (await messages(manager, stream) !== count) await new Promise((resolve) => setImmediate(resolve))
}

/** Other bytes, as random as they come. */
const filled = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * seed + (at >> 8) * 31) & 255)

describe("Arguments and results of any length", () => {
  let cluster: Cluster
  let manager: JetStreamManager
  beforeAll(async () => {
    cluster = await Cluster.start({ engines: 1, slots: 2, client: "long", broker: { maxPayload: MESSAGE } })
    manager = await jetstreamManager(cluster.client.bus.nats)
    return () => cluster.shutdown()
  })

  // Around the length of a message, and of several.
  const length = fc.oneof(
    fc.integer({ min: MESSAGE - 1_200, max: MESSAGE + 100 }),
    fc.integer({ min: 0, max: 5 * MESSAGE })
  )

  it.prop([length, fc.integer({ min: 1, max: 255 })], { numRuns: 30 })(
    "arrive as they were sent, can be had again, and be handed in again; what is done leaves no pieces of its arguments",
    async (size, seed) => {
      const value = filled(size, seed)
      const future = cluster.executor().submit(echo<Uint8Array>, value)
      expect(Buffer.compare(await future.result(), value)).toBe(0)
      expect(Buffer.compare(await cluster.future<Uint8Array>(future.info.id).result(), value)).toBe(0)
      const again = await cluster.resubmit<Uint8Array>(future.info.id)
      expect(Buffer.compare(await again.result(), value)).toBe(0)
      await holds(manager, "ARGS", 0)
    }
  )
})

/** A call with long arguments, which waits behind another. */
const waiting = async () => {
  const cluster = await start({ engines: 1, slots: 1, client: "lost", broker: { maxPayload: MESSAGE } })
  const manager = await jetstreamManager(cluster.client.bus.nats)
  const { gate, notebook, open, written } = scene()
  const executor = cluster.executor()
  const first = executor.submit(hold, notebook, "first", gate)
  await written(1)
  const long = executor.submit(echo<Uint8Array>, filled(3 * MESSAGE, 7))
  await holds(manager, "ARGS", 4)
  return { cluster, manager, open, first, long }
}

const damages = {
  "a piece that is gone": {
    damage: async (manager: JetStreamManager, stream: string, subject: string) => {
      await manager.streams.purge(stream, { filter: subject })
    },
    says: /in 4 pieces, of which the broker does not have number 3 any more/
  },
  "a piece that is another": {
    damage: async (_: JetStreamManager, __: string, subject: string, cluster: Cluster) => {
      await jetstream(cluster.client.bus.nats).publish(subject, "other bytes")
    },
    says: /in 4 pieces, which are not what was written: their SHA-256 differs/
  }
}

/** The subject of the third piece. */
const third = async (manager: JetStreamManager, stream: string): Promise<string> => {
  const { subjects } = (await manager.streams.info(stream, { subjects_filter: ">" })).state
  return Object.keys(subjects!).find((subject) => subject.endsWith(".2"))!
}

for (const [what, { damage, says }] of Object.entries(damages)) {
  test(`A call among whose arguments is ${what} fails with NotPortableError, and the engine goes on`, async () => {
    const { cluster, first, long, manager, open } = await waiting()
    await damage(manager, "CF_default_ARGS", await third(manager, "CF_default_ARGS"), cluster)
    open()
    assert.equal(await first.result(), "first")
    const error = await long.exception()
    assert.ok(error instanceof NotPortableError, String(error))
    assert.equal(error.side, "argument")
    assert.match(error.value, says)
    assert.equal(await cluster.executor().run(echo<number>, 1), 1)
    await holds(manager, "ARGS", 0)
  })
}

test("A result of which a piece is gone fails with NotPortableError, whoever asks; others are not touched", async () => {
  const cluster = await start({ engines: 1, slots: 1, client: "gone", broker: { maxPayload: MESSAGE } })
  const manager = await jetstreamManager(cluster.client.bus.nats)
  const executor = cluster.executor()
  const [long, short] = [executor.submit(bytes, 3 * MESSAGE), executor.submit(echo<number>, 1)]
  assert.equal((await long.result()).length, 3 * MESSAGE)
  assert.equal(await short.result(), 1)
  await manager.streams.purge("CF_default_RES", { filter: await third(manager, "CF_default_RES") })
  await using second = await Cluster.connect({ ...cluster.connection, client: "gone" })
  const error = await second.future(long.info.id).exception() as unknown
  assert.ok(error instanceof NotPortableError, String(error))
  assert.equal(error.side, "result")
  await assert.rejects(second.resubmit(long.info.id), NotPortableError)
  assert.equal(await second.future<number>(short.info.id).result(), 1)
})

test("Many long calls at a time arrive, each with its own", async () => {
  const cluster = await start({ engines: 2, slots: 2, client: "many", broker: { maxPayload: MESSAGE } })
  const values = Array.from({ length: 40 }, (_, n) => filled(2 * MESSAGE + n, n + 1))
  const executor = cluster.executor()
  const results = await Promise.all(values.map((value) => executor.run(echo<Uint8Array>, value)))
  for (const [n, value] of values.entries()) assert.equal(Buffer.compare(results[n]!, value), 0)
})
