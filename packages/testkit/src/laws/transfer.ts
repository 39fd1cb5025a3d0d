/** Buffers that move instead of being copied. */
import { ExecutorShutdownError, NotPortableError, Task } from "@futures/core"
import assert from "node:assert/strict"
import { once } from "node:events"
import { MessageChannel } from "node:worker_threads"
import type { MessagePort } from "node:worker_threads"
import { failsWith } from "../expect.ts"
import { law, laws } from "../Law.ts"
import { identity, pair } from "../tasks.ts"
import { sendThrough } from "../tasksPorts.ts"

const filled = (): Uint8Array<ArrayBuffer> => new Uint8Array(1_000).fill(7)

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
  )
])
