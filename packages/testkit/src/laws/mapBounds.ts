/** What a map holds, at most, and how its chunks are balanced. */
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { collect } from "../expect.ts"
import { law, laws, property } from "../Law.ts"
import { double, identity, note } from "../tasks.ts"
import { fill } from "../tasksBuffers.ts"
import { holdItem, napItem } from "../tasksSignals.ts"

const chunkSizes = fc.oneof(fc.constant("auto" as const), fc.integer({ min: 1, max: 9 }))

/** An item for `holdItem`. */
interface Item {
  readonly index: number
  readonly port: number
  readonly word: string | undefined
}

const itemsOf = (port: number, words: ReadonlyArray<string | undefined>): Array<Item> =>
  words.map((word, index) => ({ index, port, word }))

export const mapBounds = laws("what a map holds", [
  property(
    "map pulls exactly bufferSize items, from 1 to 1,000, before the first result is taken, and never more ahead",
    { promises: [12], runs: 15 },
    [fc.integer({ min: 1, max: 1_000 }), fc.boolean(), chunkSizes],
    async (trial, bufferSize, ordered, chunkSize) => {
      let pulled = 0
      const input = function*(): Generator<number> {
        for (;;) yield pulled++
      }
      const iterator = trial.shared.map(double, input(), { bufferSize, ordered, chunkSize })
      const first = iterator.next()
      assert.ok(pulled <= bufferSize)
      if (chunkSize === 1) assert.equal(pulled, bufferSize)
      await first
      for (let yielded = 1; yielded < 30; yielded++) {
        await iterator.next()
        assert.ok(pulled - yielded <= bufferSize, `${pulled - yielded} items ahead with bufferSize ${bufferSize}`)
      }
      await iterator.return!()
    }
  ),
  law("An ordered map runs bufferSize items while the first of them is held", { promises: [12] }, async (trial) => {
    const signals = await trial.signals()
    const held = signals.word()
    for (const bufferSize of [9, 100]) {
      const executor = trial.open({ maxWorkers: 1, concurrency: 2 })
      const last = signals.word()
      const words = Array.from(
        { length: bufferSize + 1 },
        (_, at) => at === 0 ? held : at === bufferSize - 1 ? last : undefined
      )
      const results = collect(executor.map(holdItem, itemsOf(signals.port, words), { bufferSize, chunkSize: 1 }))
      await signals.heard(last)
      signals.release(last)
      signals.release(held)
      assert.deepEqual(await results, words.map((_, index) => index))
    }
  }),
  law(
    "Without bufferSize, an ordered map runs a thousand quick items while the first is held",
    { promises: [12] },
    async (trial) => {
      const signals = await trial.signals()
      const executor = trial.open({ maxWorkers: 1, concurrency: 2 })
      const [held, last] = [signals.word(), signals.word()]
      const words = Array.from({ length: 1_000 }, (_, at) => at === 0 ? held : at === 999 ? last : undefined)
      const results = collect(executor.map(holdItem, itemsOf(signals.port, words)))
      await signals.heard(last)
      signals.release(last)
      signals.release(held)
      assert.equal((await results).length, 1_000)
    }
  ),
  property(
    "map holds at most bufferBytes of items, and one more, whatever their sizes",
    { promises: [12], runs: 30 },
    [
      fc.array(fc.oneof(fc.constant(0), fc.nat(100), fc.nat(5_000)), { maxLength: 80 }),
      fc.integer({ min: 1, max: 10_000 }),
      chunkSizes,
      fc.boolean()
    ],
    async (trial, sizes, bufferBytes, chunkSize, isNested) => {
      let ahead = 0
      let most = 0
      const input = function*(): Generator<unknown> {
        for (const size of sizes) {
          // Read when one more is pulled: what was ahead before it.
          most = Math.max(most, ahead)
          ahead += size
          const bytes = new Uint8Array(size)
          yield isNested ? { name: "image", parts: [bytes] } : bytes
        }
      }
      let at = 0
      for await (const _ of trial.shared.map(identity, input(), { bufferBytes, chunkSize })) ahead -= sizes[at++]!
      assert.equal(at, sizes.length)
      assert.ok(most <= bufferBytes, `${most} bytes ahead with bufferBytes ${bufferBytes}`)
    }
  ),
  law("map holds at most some bufferBytes of results that are not taken", { promises: [12] }, async (trial) => {
    const executor = trial.open({ maxWorkers: 2 })
    const bytes = 2 ** 14
    let most = 0
    let pulled = 0
    let yielded = 0
    const input = function*(): Generator<number> {
      while (pulled < 600) {
        most = Math.max(most, ++pulled - yielded)
        yield bytes
      }
    }
    for await (const _ of executor.map(fill, input(), { bufferBytes: 20 * bytes })) {
      // A slow consumer: everything that can run has run.
      while (executor.stats().pending + executor.stats().running > 0) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      yielded++
    }
    assert.equal(yielded, 600)
    // What runs when the bound is reached comes on top: a chunk for each worker, and what was submitted before any size was known.
    assert.ok(most <= 60, `${most} results ahead, with room for 20`)
  }),
  property(
    "Whatever bufferBytes and the chunks are, a map with a slow consumer yields every result",
    { promises: [12], runs: 15 },
    [
      fc.array(fc.constantFrom(0, 100, 5_000), { maxLength: 60 }),
      fc.integer({ min: 1, max: 20_000 }),
      fc.oneof(fc.constant("auto" as const), fc.integer({ min: 1, max: 60 })),
      fc.boolean()
    ],
    async (trial, sizes, bufferBytes, chunkSize, ordered) => {
      const executor = trial.open({ maxWorkers: 2 })
      const lengths: Array<number> = []
      for await (const { length } of executor.map(fill, sizes, { bufferBytes, chunkSize, ordered })) {
        lengths.push(length)
        // Everything that may run has run.
        while (executor.stats().pending + executor.stats().running > 0) {
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
      const inOrder = (one: number, other: number): number => one - other
      assert.deepEqual(ordered ? lengths : lengths.toSorted(inOrder), ordered ? sizes : sizes.toSorted(inOrder))
      await executor.shutdown()
    }
  ),
  law(
    "A chunk that turns out slow returns the items that it has not started, which run on other workers",
    { promises: [12], needs: ["workers"] },
    async (trial) => {
      const signals = await trial.signals()
      const executor = trial.open({ maxWorkers: 2 })
      const words = [signals.word(), signals.word()]
      const items = itemsOf(signals.port, [...Array.from({ length: 400 }, () => undefined), ...words, undefined])
      const results = collect(executor.map(holdItem, items))
      // Both are held at a time, though they were in one chunk.
      for (const word of words) await signals.heard(word)
      words.forEach(signals.release)
      assert.deepEqual(await results, items.map(({ index }) => index))
      assert.deepEqual(signals.words().toSorted(), words.toSorted())
    }
  ),
  property(
    "Each item of a map runs once, whatever the chunks are",
    { promises: [6, 12], runs: 20 },
    [fc.nat(60), chunkSizes, fc.boolean()],
    async (trial, count, chunkSize, ordered) => {
      const notebook = trial.notebook()
      const lines = Array.from({ length: count }, (_, index) => String(index))
      const items = lines.map((line) => [notebook.path, line] as const)
      await collect(trial.shared.starmap(note, items, { chunkSize, ordered }))
      assert.deepEqual(notebook.lines().toSorted(), lines.toSorted())
    }
  ),
  property(
    "Whatever the items take and the chunks are, each runs once, and none is lost",
    { promises: [8, 12], runs: 12 },
    [
      fc.array(fc.tuple(fc.constantFrom(0, 5, 30), fc.nat(40)), { minLength: 1, maxLength: 6 }),
      fc.oneof(fc.constant("auto" as const), fc.constant(50)),
      fc.boolean()
    ],
    async (trial, runs, chunkSize, ordered) => {
      const signals = await trial.signals()
      const before = signals.words().length
      const items = runs.flatMap(([ms, count]) => [ms, ...Array.from({ length: count }, () => 0)])
        .map((ms, index) => ({ index, ms, port: signals.port, word: ms === 0 ? undefined : signals.word() }))
      const results = await collect(trial.shared.map(napItem, items, { chunkSize, ordered }))
      assert.deepEqual(results.toSorted((a, b) => a - b), items.map(({ index }) => index))
      if (ordered) assert.deepEqual(results, items.map(({ index }) => index))
      const words = items.flatMap(({ word }) => word ?? [])
      assert.deepEqual(signals.words().slice(before).toSorted(), words.toSorted())
    }
  )
])
