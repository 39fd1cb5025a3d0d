/** Calls that an engine holds for its worker: what is passed on, what goes back, and what a malformed header does. */
import { fc } from "@fast-check/vitest"
import { frames } from "@futures/core/Backend"
import assert from "node:assert/strict"
import { onTestFinished, test } from "vitest"
import { HeldCalls } from "../src/engine/HeldCalls.ts"
import { headerOf, PARCEL_HEADER, parcelOf } from "../src/wire/parcel.ts"
import type { ParcelHeader } from "../src/wire/parcel.ts"

const wireId = (turn: number): number => (frames.FIRST_TURN + turn) * frames.SLOTS

const header = (turn: number, more: Partial<ParcelHeader> = {}): ParcelHeader => ({
  first: wireId(turn),
  last: wireId(turn),
  isAhead: true,
  expectedMs: 5,
  patienceMs: 60_000,
  byteLength: 1,
  ...more
})

/** A worker that starts what it is told to, and what happens to its calls. */
const scene = () => {
  const passed: Array<number> = []
  const returned: Array<readonly [from: number, to: number, isLate: boolean]> = []
  const state = { mark: 0 }
  const held = new HeldCalls({
    mark: () => state.mark,
    // A `Lease` frame is longer than a call here.
    write: (bytes) => {
      if (bytes.length === 1) passed.push(bytes[0]!)
    },
    returned: (...range) => returned.push(range),
    marked: () => {}
  })
  onTestFinished(() => held.close())
  return {
    held,
    passed,
    returned,
    add: (turn: number, more?: Partial<ParcelHeader>) => held.begin(header(turn, more), Uint8Array.of(turn)),
    start: (turn: number) => {
      state.mark = frames.markOf(wireId(turn))
      held.look()
    }
  }
}

test("A worker is passed one long call that it has not started, in order", () => {
  const { add, passed, start } = scene()
  for (const turn of [1, 2, 3]) add(turn)
  assert.deepEqual(passed, [1])
  start(1)
  assert.deepEqual(passed, [1, 2])
  start(2)
  assert.deepEqual(passed, [1, 2, 3])
})

test("A call that takes a free slot is passed at once, behind those before it", () => {
  const { add, passed } = scene()
  add(1)
  add(2)
  add(3, { isAhead: false })
  assert.deepEqual(passed, [1, 2, 3])
})

test("What was not passed is given back, the newest half or the parcel of one call", () => {
  const { add, held, passed, returned, start } = scene()
  for (const turn of [1, 2, 3, 4, 5]) add(turn)
  held.giveBackHalf()
  assert.deepEqual(returned, [[wireId(4), wireId(5), false]])
  held.giveBack(wireId(2))
  assert.deepEqual(returned[1], [wireId(2), wireId(2), false])
  held.giveBack(wireId(1))
  assert.deepEqual(returned[2], [0, 0, false])
  start(1)
  start(3)
  assert.deepEqual(passed, [1, 3])
})

test("After its deadline everything unstarted goes back, and what still arrives, until a call takes a free slot", () => {
  const { add, held, passed, returned, start } = scene()
  add(1, { patienceMs: 0, expectedMs: 0 })
  add(2)
  held.look()
  assert.deepEqual(returned, [[wireId(1), wireId(2), true]])
  add(3)
  assert.deepEqual(returned[1], [wireId(3), wireId(3), true])
  add(4, { isAhead: false })
  add(5)
  start(4)
  assert.deepEqual(passed, [1, 4, 5])
})

test("What stands behind a call that takes a free slot stays, since the worker may start it", () => {
  const { add, passed, returned, start } = scene()
  add(1, { patienceMs: 0, expectedMs: 0 })
  add(2, { isAhead: false })
  add(3)
  assert.deepEqual(returned, [[wireId(1), wireId(1), false]])
  start(2)
  assert.deepEqual(passed, [1, 2, 3])
})

test("A header is read as it was written, and bytes that are none are refused", () => {
  const whole = fc.nat(2 ** 32)
  fc.assert(
    fc.property(
      whole,
      whole,
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      fc.boolean(),
      (first, more, ms, isAhead) => {
        const sent = { first, last: first + more, isAhead, expectedMs: ms, patienceMs: 10, byteLength: 3 }
        assert.deepEqual(headerOf(parcelOf(sent, new Uint8Array(3))), sent)
      }
    )
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 2 * PARCEL_HEADER }), (bytes) => {
    const read = headerOf(bytes)
    if (read === undefined) return
    assert.ok(read.first <= read.last && read.expectedMs >= 0 && read.expectedMs < Infinity)
    assert.ok(read.byteLength >= bytes.length - PARCEL_HEADER)
  }))
  const broken = [{ last: -1 }, { expectedMs: NaN }, { expectedMs: -1 }, { patienceMs: Infinity }, { byteLength: 0 }]
  for (const part of broken) assert.equal(headerOf(parcelOf(header(1, part), new Uint8Array(0))), undefined)
})
