/** First in, first out, and never more at a time than was asked for. */
import { wait } from "@futures/core"
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { isIn } from "../expect.ts"
import { law, laws, property } from "../Law.ts"
import { add, asynchronous, note, who } from "../tasks.ts"
import { holdItem, waitFor } from "../tasksSignals.ts"

export const order = laws("order", [
  law("Calls start in the order in which they were handed in", { promises: [11] }, async (trial) => {
    const notebook = trial.notebook()
    const indexes = Array.from({ length: 500 }, (_, index) => String(index))
    const futures = indexes.map((index) => trial.single.submit(note, notebook.path, index))
    await wait(futures)
    assert.deepEqual(notebook.lines(), indexes)
  }),
  law("Calls settle in order on one worker, and callbacks hear of it in order", { promises: [11] }, async (trial) => {
    const settled: Array<number> = []
    const futures = Array.from({ length: 100 }, (_, index) => trial.single.submit(asynchronous, index))
    for (const [index, future] of futures.entries()) future.onDone(() => settled.push(index))
    await Promise.all(futures.map((future) => future.result()))
    assert.deepEqual(settled, futures.map((_, index) => index))
  }),
  law(
    "As many calls run at a time as there are workers, and the next starts when one ends",
    { promises: [11] },
    async (trial) => {
      const signals = await trial.signals()
      const words = [signals.word(), signals.word(), signals.word()]
      const futures = words.map((word) => trial.shared.submit(waitFor, signals.port, word))
      await Promise.all(words.slice(0, 2).map(signals.heard))
      isIn(futures[2]!, "pending")
      assert.ok(!signals.words().includes(words[2]!))
      signals.release(words[1]!)
      await signals.heard(words[2]!)
      isIn(futures[0]!, "running")
      isIn(futures[1]!, "succeeded")
      isIn(futures[2]!, "running")
      words.forEach(signals.release)
      assert.deepEqual(await Promise.all(futures.map((future) => future.result())), words)
    }
  ),
  law(
    "A task that is mostly quick and once slow holds up nobody while a worker is free",
    { promises: [11] },
    async (trial) => {
      const signals = await trial.signals()
      const item = (word?: string) => ({ index: 0, port: signals.port, word })
      await Promise.all(Array.from({ length: 300 }, () => trial.shared.run(holdItem, item())))
      const word = signals.word()
      const slow = trial.shared.submit(holdItem, item(word))
      const quick = Array.from({ length: 40 }, () => trial.shared.submit(holdItem, item()))
      await signals.heard(word)
      await Promise.all(quick.map((future) => future.result()))
      isIn(slow, "running")
      signals.release(word)
      await slow.result()
    }
  ),
  law("A call behind a slow one, of a task that is mostly quick, can be stopped and then never runs", {
    promises: [6, 7]
  }, async (trial) => {
    const signals = await trial.signals()
    const item = (word?: string) => ({ index: 0, port: signals.port, word })
    await Promise.all(Array.from({ length: 300 }, () => trial.single.run(holdItem, item())))
    const [word, ...behind] = Array.from({ length: 6 }, signals.word)
    behind.forEach(signals.release)
    const slow = trial.single.submit(holdItem, item(word))
    const futures = behind.map((each) => trial.single.submit(holdItem, item(each)))
    await signals.heard(word!)
    for (const future of futures) {
      // One that its worker was already handed says so, and is called back.
      assert.equal(future.cancel(), future.state === "cancelled")
      if (future.state !== "cancelled") assert.equal(await future.interrupt({ grace: "15 seconds" }), true)
      isIn(future, "cancelled")
    }
    isIn(slow, "running")
    signals.release(word!)
    await slow.result()
    await trial.single.run(add, 1, 2)
    assert.deepEqual(signals.words(), [word])
  }),
  property(
    "A call that turns out slow runs once, wherever it stands among quick ones of its task",
    { promises: [6], runs: 20 },
    [fc.nat(150), fc.nat(20)],
    async (trial, before, after) => {
      const signals = await trial.signals()
      const item = (word?: string) => ({ index: 0, port: signals.port, word })
      await Promise.all(Array.from({ length: 150 }, () => trial.single.run(holdItem, item())))
      const word = signals.word()
      const quick = Array.from({ length: before }, () => trial.single.submit(holdItem, item()))
      const slow = trial.single.submit(holdItem, item(word))
      quick.push(...Array.from({ length: after }, () => trial.single.submit(holdItem, item())))
      await signals.heard(word)
      assert.equal(await slow.wait({ timeout: 25 }), false)
      signals.release(word)
      await wait([slow, ...quick])
      assert.deepEqual(signals.words().filter((each) => each === word), [word])
    }
  ),
  law("With concurrency, one worker runs so many calls at a time, and no more", { promises: [11] }, async (trial) => {
    const signals = await trial.signals()
    const executor = trial.open({ maxWorkers: 1, concurrency: 3 })
    const words = Array.from({ length: 5 }, signals.word)
    const futures = words.map((word) => executor.submit(waitFor, signals.port, word))
    await Promise.all(words.slice(0, 3).map(signals.heard))
    assert.deepEqual(futures.map((future) => future.state), ["running", "running", "running", "pending", "pending"])
    assert.equal(executor.stats().workers, 1)
    words.forEach(signals.release)
    assert.deepEqual(await Promise.all(futures.map((future) => future.result())), words)
    assert.equal(new Set(await Promise.all([executor.run(who), executor.run(who), executor.run(who)])).size, 1)
  }),
  law("stats() counts what was handed in and what became of it", { promises: [5] }, async (trial) => {
    const signals = await trial.signals()
    const word = signals.word()
    const executor = trial.open({ maxWorkers: 1 })
    const holder = executor.submit(waitFor, signals.port, word)
    await signals.heard(word)
    const [good, bad, cancelled] = [
      executor.submit(add, 1, 2),
      executor.submit(add, 1, (() => 1) as never),
      executor.submit(add, 3, 4)
    ]
    cancelled.cancel()
    const counts = (): unknown => ({ ...executor.stats(), workers: undefined })
    assert.deepEqual(counts(), {
      pending: 1,
      running: 1,
      succeeded: 0,
      failed: 1,
      cancelled: 1,
      workers: undefined,
      strayFrames: 0,
      forced: 0
    })
    signals.release(word)
    await wait([holder, good, bad, cancelled])
    assert.deepEqual(counts(), {
      pending: 0,
      running: 0,
      succeeded: 2,
      failed: 1,
      cancelled: 1,
      workers: undefined,
      strayFrames: 0,
      forced: 0
    })
  }),
  law("A call may be handed in while another settles, and from its callbacks", { promises: [5] }, async (trial) => {
    const second = new Promise<number>((resolve) =>
      trial.single.submit(add, 1, 2).onDone(async (future) =>
        resolve(await trial.single.run(add, await future.result(), 3))
      )
    )
    assert.equal(await second, 6)
  })
])
