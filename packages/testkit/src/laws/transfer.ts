/** Buffers that move instead of being copied. */
import { ExecutorShutdownError, InvalidOptionError, NotPortableError, Task } from "@futures/core"
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { MessageChannel } from "node:worker_threads"
import type { MessagePort } from "node:worker_threads"
import { collect, failsWith } from "../expect.ts"
import { law, laws, property } from "../Law.ts"
import { identity, pair } from "../tasks.ts"
import {
  fill,
  fillEach,
  fillLater,
  keepAndReturn,
  keptLength,
  moveBack,
  moveKept,
  moveKeptInside,
  moveKeptThenFail,
  moveKeptWithFunction,
  moveWrongly
} from "../tasksBuffers.ts"
import { sendThrough } from "../tasksPorts.ts"

const filled = (length = 1_000): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(7)

const someLengths = fc.array(fc.integer({ min: 1, max: 100_000 }), { maxLength: 20 })

export const transfer = laws("transfer", [
  law("A buffer that is to be moved arrives whole", { promises: [1, 4] }, async (trial) => {
    const bytes = filled()
    const moving = Task.with(pair, { transfer: [bytes.buffer] })
    assert.deepEqual(await trial.shared.run(moving, bytes, { again: bytes }), [filled(), { again: filled() }])
  }),
  law(
    "Where memory is shared, a buffer that is to be moved is the caller's no more",
    { promises: [4], needs: ["shared memory"] },
    async (trial) => {
      const [moved, copied] = [filled(), filled()]
      const future = trial.shared.submit(Task.with(pair, { transfer: [moved.buffer] }), moved, copied)
      assert.deepEqual([moved.byteLength, copied.byteLength], [0, 1_000])
      assert.deepEqual(await future.result(), [filled(), filled()])
    }
  ),
  law("A call that is refused detaches nothing", { promises: [2, 4] }, async (trial) => {
    const bytes = filled()
    const moving = Task.with(pair, { transfer: [bytes.buffer] })
    await failsWith(trial.shared.run(moving, bytes, () => 1), NotPortableError, { side: "argument" })
    const gone = trial.open()
    await gone.shutdown()
    await failsWith(gone.run(moving, bytes, 1), ExecutorShutdownError)
    const unmovable = Task.with(pair, { transfer: [bytes.buffer, {} as ArrayBuffer] })
    await trial.shared.submit(unmovable, bytes, 1).exception()
    const twice = Task.with(pair, { transfer: [bytes.buffer, bytes.buffer] })
    const second = filled()
    await trial.shared.submit(twice, second, 1).exception()
    assert.equal(second.byteLength, 1_000)
    await trial.shared.submit(Task.with(identity, { transfer: 5 as never }), bytes).exception()
    assert.equal(bytes.byteLength, 1_000)
    assert.deepEqual(await trial.shared.run(moving, bytes, 1), [filled(), 1])
  }),
  law("A message port that is moved goes on to work", { promises: [4], needs: ["shared memory"] }, async (trial) => {
    const { port1, port2 } = new MessageChannel()
    const heard = once(port1, "message")
    await trial.shared.run(Task.with(sendThrough, { transfer: [port2 as MessagePort] }), port2, "through the port")
    assert.deepEqual((await heard)[0], "through the port")
    port1.close()
  }),
  law(
    "A call that may be tried again copies its buffers, so that each attempt has them",
    { promises: [3, 4] },
    async (trial) => {
      const bytes = filled()
      const again = Task.with(identity, { retry: 1, transfer: [bytes.buffer] })
      assert.deepEqual(await trial.shared.run(again, bytes), filled())
    }
  ),
  property(
    "A result whose buffer is to be moved arrives whole, by whatever way the task gives it",
    { promises: [1, 4], runs: 25 },
    [someLengths],
    async (trial, lengths) => {
      const wanted = lengths.map((length) => filled(length))
      assert.deepEqual(await collect(trial.shared.map(fill, lengths)), wanted)
      assert.deepEqual(await Promise.all(lengths.map((length) => trial.shared.run(fillLater, length))), wanted)
      assert.deepEqual(await collect(trial.shared.stream(fillEach, lengths)), wanted)
      const moved = wanted.map((bytes) => {
        const copy = bytes.slice()
        return trial.shared.run(Task.with(moveBack, { transfer: [copy.buffer] }), copy)
      })
      const arrived = await Promise.all(moved)
      assert.deepEqual(arrived.map(({ bytes }) => bytes), wanted)
      for (const { again, bytes, end, other } of arrived) {
        assert.equal(again[0], bytes)
        assert.deepEqual([end, other], [filled(1), filled()])
      }
    }
  ),
  law("Where memory is shared, the buffer of a result that is to be moved is the task's no more", {
    promises: [4],
    needs: ["shared memory"]
  }, async (trial) => {
    const name = randomUUID()
    assert.deepEqual(await trial.single.run(moveKept, name), filled())
    assert.equal(await trial.single.run(keptLength, name), 0)
  }),
  law("A buffer stays with its task unless the very value it was listed with is returned by that call", {
    promises: [3, 4]
  }, async (trial) => {
    const name = randomUUID()
    assert.deepEqual(await trial.single.run(moveKeptInside, name), { inside: filled() })
    await trial.single.submit(moveKeptThenFail, name).exception()
    assert.deepEqual(await trial.single.run(keepAndReturn, name), filled())
    assert.equal(await trial.single.run(keptLength, name), 1_000)
  }),
  law("A result that is refused detaches nothing", { promises: [2, 4] }, async (trial) => {
    const name = randomUUID()
    await failsWith(trial.single.run(moveKeptWithFunction, name), NotPortableError, {
      side: "result",
      path: "result.callback"
    })
    assert.equal(await trial.single.run(keptLength, name), 1_000)
  }),
  law("A list that names a buffer twice, or something else than buffers, is refused where it is made", {
    promises: [2, 4]
  }, async (trial) => {
    const name = randomUUID()
    for (const how of ["twice", "shared", "no list"] as const) {
      await failsWith(trial.single.run(moveWrongly, name, how), InvalidOptionError, { option: "transfer" })
    }
    assert.equal(await trial.single.run(keptLength, name), 1_000)
  }),
  law("Outside of a running task, to move a result does nothing", { promises: [4] }, () => {
    const bytes = filled()
    assert.equal(Task.transfer(bytes, [bytes.buffer]), bytes)
    assert.deepEqual(bytes, filled())
    return Promise.resolve()
  })
])
