/** Many calls of one task: what is yielded, in which order, and how far ahead the input is read. */
import * as fc from "fast-check"
import assert from "node:assert/strict"
import { mapOptions } from "../arbitraries.ts"
import { collect } from "../expect.ts"
import { law, laws, property } from "../Law.ts"
import { double, identity } from "../tasks.ts"
import { holdItem } from "../tasksSignals.ts"

const items = fc.array(fc.integer(), { maxLength: 60 })

async function* asynchronously<A>(values: Iterable<A>): AsyncGenerator<A> {
  for (const value of values) {
    await new Promise((resolve) => setImmediate(resolve))
    yield value
  }
}

/** Items for `holdItem`: those that have a word are held until it is released. */
const held = (
  port: number,
  words: ReadonlyArray<string | undefined>
): Array<{ index: number; port: number; word: string | undefined }> =>
  words.map((word, index) => ({ index, port, word }))

export const map = laws("map", [
  property(
    "map yields what Array.map would, whatever the chunks and the buffer",
    { promises: [12], runs: 80 },
    [items, mapOptions()],
    async (trial, numbers, options) => {
      assert.deepEqual(
        await collect(trial.shared.map(double, numbers, { ...options, ordered: true })),
        numbers.map((n) => n * 2)
      )
    }
  ),
  property(
    "map takes asynchronous input as it takes any other",
    { promises: [12], runs: 20 },
    [items, mapOptions()],
    async (trial, numbers, options) => {
      assert.deepEqual(
        await collect(trial.shared.map(double, asynchronously(numbers), { ...options, ordered: true })),
        numbers.map((n) => n * 2)
      )
    }
  ),
  property(
    "Unordered, map yields the same results in some order",
    { promises: [12], runs: 40 },
    [items, mapOptions()],
    async (trial, numbers, options) => {
      const results = await collect(trial.shared.map(double, new Set(numbers), { ...options, ordered: false }))
      const expected = [...new Set(numbers)].map((n) => n * 2)
      assert.deepEqual(results.toSorted((a, b) => a - b), expected.toSorted((a, b) => a - b))
    }
  ),
  property(
    "map reads at most bufferSize items ahead of what it has yielded",
    { promises: [12], runs: 60 },
    [
      fc.integer({ min: 1, max: 20 }),
      fc.oneof(fc.constant("auto" as const), fc.integer({ min: 1, max: 9 })),
      fc.nat(60)
    ],
    async (trial, bufferSize, chunkSize, length) => {
      let pulled = 0
      let yielded = 0
      let ahead = 0
      const input = function*() {
        while (pulled < length) {
          ahead = Math.max(ahead, ++pulled - yielded)
          yield pulled
        }
      }
      for await (const _ of trial.shared.map(double, input(), { bufferSize, chunkSize })) yielded++
      assert.equal(yielded, length)
      assert.ok(ahead <= bufferSize, `${ahead} items ahead with bufferSize ${bufferSize}`)
    }
  ),
  law(
    "map reads exactly bufferSize items while the first is held, and none before it is asked",
    { promises: [12] },
    async (trial) => {
      const signals = await trial.signals()
      for (const bufferSize of [1, 2, 3, 5, 8]) {
        const word = signals.word()
        let pulled = 0
        const input = function*() {
          for (;;) yield { index: pulled, port: signals.port, word: pulled++ === 0 ? word : undefined }
        }
        const iterator = trial.shared.map(holdItem, input(), { bufferSize, chunkSize: 1 })
        assert.equal(pulled, 0)
        const first = iterator.next()
        await signals.heard(word)
        assert.equal(pulled, bufferSize)
        signals.release(word)
        assert.deepEqual(await first, { done: false, value: 0 })
        await iterator.return!()
      }
    }
  ),
  law(
    "map reads an endless input only as far as it must, and closes it when the loop is left",
    { promises: [12] },
    async (trial) => {
      for (const asynchronous of [false, true]) {
        let closed = 0
        const naturals = function*() {
          try {
            for (let n = 0;; n++) yield n
          } finally {
            closed++
          }
        }
        const seen: Array<number> = []
        for await (const n of trial.shared.map(double, asynchronous ? asynchronously(naturals()) : naturals())) {
          if (seen.push(n) === 50) break
        }
        assert.deepEqual(seen, Array.from({ length: 50 }, (_, index) => index * 2))
        assert.equal(closed, 1)
      }
    }
  ),
  law(
    "Leaving the loop early cancels what has not started, which then never runs",
    { promises: [12] },
    async (trial) => {
      const signals = await trial.signals()
      const words = [undefined, ...Array.from({ length: 5 }, signals.word)]
      const [, running, ...never] = words
      for (const word of never) signals.release(word!)
      for await (const index of trial.single.map(holdItem, held(signals.port, words), { chunkSize: 1 })) {
        assert.equal(index, 0)
        await signals.heard(running!)
        break
      }
      signals.release(running!)
      assert.equal(await trial.single.run(double, 1), 2)
      assert.deepEqual(signals.words(), [running])
    }
  ),
  law("Ordered, map waits for the first; unordered, it yields what is there", { promises: [12] }, async (trial) => {
    const signals = await trial.signals()
    for (const ordered of [true, false]) {
      const word = signals.word()
      const iterator = trial.shared.map(holdItem, held(signals.port, [word, undefined, undefined]), {
        chunkSize: 1,
        ordered
      })
      const first = iterator.next()
      await signals.heard(word)
      if (ordered) signals.release(word)
      else assert.deepEqual([(await first).value, (await iterator.next()).value].toSorted(), [1, 2])
      signals.release(word)
      await first
      assert.deepEqual(await collect(iterator), ordered ? [1, 2] : [0])
    }
  }),
  law("next() may be asked several times at once, and is answered in order", { promises: [12] }, async (trial) => {
    const iterator = trial.shared.map(double, [1, 2, 3])
    const answers = await Promise.all([iterator.next(), iterator.next(), iterator.next(), iterator.next()])
    assert.deepEqual(answers.map(({ done, value }) => done === true ? "end" : value), [2, 4, 6, "end"])
  }),
  law(
    "After return() there is nothing more, and a next() that waits ends with it",
    { promises: [12] },
    async (trial) => {
      const signals = await trial.signals()
      const word = signals.word()
      const iterator = trial.single.map(holdItem, held(signals.port, [word, undefined, undefined]), { chunkSize: 1 })
      const waiting = iterator.next()
      await signals.heard(word)
      await iterator.return!()
      assert.equal((await waiting).done, true)
      assert.equal((await iterator.next()).done, true)
      signals.release(word)
      assert.equal(await trial.single.run(double, 1), 2)
    }
  ),
  law("map of nothing yields nothing, of anything iterable each item", { promises: [12] }, async (trial) => {
    assert.deepEqual(await collect(trial.shared.map(double, [])), [])
    assert.deepEqual(await collect(trial.shared.mapSettled(double, new Set<number>())), [])
    assert.deepEqual(await collect(trial.shared.map(identity, "abc")), ["a", "b", "c"])
    assert.deepEqual(await collect(trial.shared.map(identity, new Map([["k", 1]]))), [["k", 1]])
    assert.deepEqual(await collect(trial.shared.map(identity, Object.assign([undefined, null], { 3: 0 }))), [
      undefined,
      null,
      undefined,
      0
    ])
  }),
  law("Several maps and single calls share an executor", { promises: [5, 12] }, async (trial) => {
    const numbers = Array.from({ length: 200 }, (_, index) => index)
    const maps = [1, 2, 3].map((chunkSize) => collect(trial.shared.map(double, numbers, { chunkSize })))
    const runs = numbers.map((n) => trial.shared.run(double, n))
    const doubled = numbers.map((n) => n * 2)
    assert.deepEqual(await Promise.all(maps), [doubled, doubled, doubled])
    assert.deepEqual(await Promise.all(runs), doubled)
  })
])
