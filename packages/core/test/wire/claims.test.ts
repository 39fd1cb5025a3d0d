/** Claims and requests to stop, against a model: one call after another in one slot of a wire id. */
import { fc, it } from "@fast-check/vitest"
import assert from "node:assert/strict"
import { claim, isStopRequested, makeClaims, requestStop } from "../../src/wire/claims.ts"
import { FIRST_TURN, SLOTS } from "../../src/wire/frames.ts"

type Step = { readonly turn: number; readonly what: "claim" | "requestStop" | "look" }

const step: fc.Arbitrary<Step> = fc.record({
  turn: fc.integer({ min: FIRST_TURN, max: FIRST_TURN + 5 }),
  what: fc.constantFrom("claim", "requestStop", "look")
})

it.prop([fc.array(step, { maxLength: 60 }), fc.integer({ min: 0, max: SLOTS - 1 })])(
  "a call is claimed once and never after a later one; only the call that was claimed last is seen to stop",
  (steps, slot) => {
    const claims = makeClaims()
    let latest = 0
    let isStopping = false
    for (const { turn, what } of steps) {
      const wireId = turn * SLOTS + slot
      if (what === "claim") {
        const isFirst = turn > latest
        assert.equal(claim(claims, wireId), isFirst)
        if (isFirst) [latest, isStopping] = [turn, false]
      } else if (what === "requestStop") {
        requestStop(claims, wireId)
        if (turn === latest) isStopping = true
      } else assert.equal(isStopRequested(claims, wireId), turn === latest && isStopping)
    }
  }
)
