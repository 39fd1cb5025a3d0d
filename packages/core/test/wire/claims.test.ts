/** Claims and requests to stop, against a model: one call after another in one slot of a wire id. */
import { fc, it } from "@fast-check/vitest"
import assert from "node:assert/strict"
import { claim, claimToStart, isStopRequested, makeClaims, requestStop } from "../../src/wire/claims.ts"
import { FIRST_TURN, SLOTS } from "../../src/wire/frames.ts"

type Step = { readonly turn: number; readonly what: "take back" | "start" | "request stop" | "look" }

/** What is known of the latest call of the slot. */
interface Latest {
  readonly turn: number
  readonly owner: "nobody" | "parent" | "worker"
  readonly isStopping: boolean
}

const step: fc.Arbitrary<Step> = fc.record({
  turn: fc.integer({ min: FIRST_TURN, max: FIRST_TURN + 5 }),
  what: fc.constantFrom("take back", "start", "request stop", "look")
})

it.prop([fc.array(step, { maxLength: 60 }), fc.integer({ min: 0, max: SLOTS - 1 })], { numRuns: 1_000 })(
  "one of the two ends has a call, and the worker sees that it is to stop, whenever it was asked to",
  (steps, slot) => {
    const claims = makeClaims()
    const started = new Set<number>()
    let latest: Latest = { turn: 0, owner: "nobody", isStopping: false }
    for (const { turn, what } of steps) {
      const wireId = turn * SLOTS + slot
      const isNew = turn > latest.turn
      const isLatest = turn === latest.turn
      if (what === "take back") {
        assert.equal(claim(claims, wireId), isNew)
        if (isNew) latest = { turn, owner: "parent", isStopping: false }
      } else if (what === "start") {
        // A worker tries once.
        if (started.has(turn)) continue
        started.add(turn)
        const isAsked = isLatest && latest.isStopping
        assert.equal(claimToStart(claims, wireId), isNew || isAsked)
        if (isNew) latest = { turn, owner: "worker", isStopping: false }
      } else if (what === "request stop") {
        // The parent asks no call to stop that it has taken back.
        if (isLatest && latest.owner === "parent") continue
        requestStop(claims, wireId)
        if (isNew || isLatest) latest = { turn, owner: "worker", isStopping: true }
      } else assert.equal(isStopRequested(claims, wireId), isLatest && latest.isStopping)
    }
  }
)
