/** `running` means that a worker has started the call; one that it only holds is pending. */
import { CancelledError } from "@futures/core"
import assert from "node:assert/strict"
import { turn } from "../expect.ts"
import { law, laws } from "../Law.ts"
import { note } from "../tasks.ts"
import { holdItem } from "../tasksSignals.ts"
import type { Trial } from "../Trial.ts"

/** Makes the task known as a quick one: its next calls are sent several at a time. */
const warmUp = async (trial: Trial): Promise<void> => {
  const items = Array.from({ length: 200 }, (_, index) => ({ index, port: 0, word: undefined }))
  await Promise.all(items.map((item) => trial.single.run(holdItem, item)))
}

/** A call that runs until it is released, among quick ones of the same task: `behind` were submitted after it. */
const heldAmongQuick = async (trial: Trial) => {
  await warmUp(trial)
  const signals = await trial.signals()
  const word = signals.word()
  const quick = (index: number) => trial.single.submit(holdItem, { index, port: 0, word: undefined })
  const before = [0, 1, 2, 3].map(quick)
  const held = trial.single.submit(holdItem, { index: 4, port: signals.port, word })
  const behind = [5, 6].map(quick)
  await signals.heard(word)
  return { before, held, behind, release: () => signals.release(word) }
}

export const running = laws("running", [
  law("Calls behind one that runs are pending, and only that one counts as running", {
    promises: [6]
  }, async (trial) => {
    const { before, behind, held, release } = await heldAmongQuick(trial)
    await Promise.all(before.map((future) => future.result()))
    while (!held.running()) await turn()
    assert.deepEqual(behind.map(({ state }) => state), ["pending", "pending"])
    assert.deepEqual(behind.map(({ info }) => info.startedAt), [undefined, undefined])
    assert.equal(trial.single.stats().running, 1)
    assert.equal(held.info.attempt, 1)
    release()
    assert.deepEqual(await Promise.all([held, ...behind].map((future) => future.result())), [4, 5, 6])
  }),
  law("cancel() takes back a call that its worker holds and has not started", {
    promises: [7]
  }, async (trial) => {
    const { behind, held, release } = await heldAmongQuick(trial)
    assert.deepEqual(behind.map((future) => future.cancel()), [true, true])
    assert.deepEqual(behind.map(({ state }) => state), ["cancelled", "cancelled"])
    release()
    assert.equal(await held.result(), 4)
  }),
  law(
    "Of calls that are cancelled while workers start them, those that were taken back never run, and all others run once",
    {
      promises: [6, 7]
    },
    async (trial) => {
      const notebook = trial.notebook()
      for (let round = 0; round < 5; round++) {
        const futures = Array.from(
          { length: 100 },
          (_, index) => trial.shared.submit(note, notebook.path, `${round}/${index}`)
        )
        for (let turns = 0; turns < round; turns++) {
          await turn()
        }
        const answers = futures.map((future) => future.cancel())
        const outcomes = await Promise.allSettled(futures.map((future) => future.result()))
        const ran = new Set(notebook.lines())
        assert.equal(ran.size, notebook.lines().length, "each runs at most once")
        for (const [index, outcome] of outcomes.entries()) {
          assert.equal(ran.has(`${round}/${index}`), !answers[index])
          if (outcome.status === "rejected") assert.ok(outcome.reason instanceof CancelledError)
          assert.equal(outcome.status === "rejected", answers[index])
        }
      }
    }
  ),
  law("No more calls are running than there are slots, and none is pending again", { promises: [6] }, async (trial) => {
    const executor = trial.open({ maxWorkers: 2 })
    const futures = Array.from(
      { length: 2_000 },
      (_, index) => executor.submit(holdItem, { index, port: 0, word: undefined })
    )
    const seen = futures.map(({ state }) => state)
    while (seen.some((state) => state === "pending" || state === "running")) {
      await turn()
      const most = executor.stats().running
      assert.ok(most <= 2, `${most} calls are running`)
      for (const [index, future] of futures.entries()) {
        const { state } = future
        assert.ok(seen[index] !== "running" || state !== "pending", "a running call is not pending again")
        seen[index] = state
      }
    }
    assert.deepEqual(await Promise.all(futures.map((future) => future.result())), futures.map((_, index) => index))
  })
])
