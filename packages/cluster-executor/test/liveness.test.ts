/** Which peers count as alive, on a clock of the test's own. */
import { fc, it } from "@fast-check/vitest"
import { describe, expect } from "vitest"
import { Liveness } from "../src/Liveness.ts"

const LIMITS = { quietMs: 700, nobodyMs: 400, silentMs: 3_500, settleMs: 2_000, stepMs: 300 }
const LOOK_MS = 150
const BEAT_MS = 400

/** A standstill of the observer, and how long it ran before, in milliseconds. */
const standstill = fc.record({
  after: fc.integer({ min: 0, max: 5_000 }),
  for: fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 600_000 }))
})

/** Looks of an observer that stands still now and then, and beats of a peer until it ends; what arrived is read before each look. */
const watch = (
  standstills: ReadonlyArray<{ readonly after: number; readonly for: number }>,
  endMs: number,
  lastMs: number,
  probe: (now: number) => "answered" | "nobody" | "silence" = () => "silence"
): number | undefined => {
  const liveness = new Liveness(LIMITS, 0)
  liveness.heard("peer")
  const left = [...standstills]
  let resumedAt = 0
  let beatAt = BEAT_MS
  for (let now = LOOK_MS; now < lastMs; now += LOOK_MS) {
    const next = left[0]
    if (next !== undefined && now - resumedAt >= next.after) {
      left.shift()
      now += next.for
      resumedAt = now
    }
    for (; beatAt <= Math.min(now, endMs); beatAt += BEAT_MS) liveness.heard("peer")
    liveness.observe(now)
    if (liveness.silent().length > 0) return now
    for (const id of liveness.toProbe()) if (liveness.probed(id, probe(now))) return now
  }
  return undefined
}

describe("A peer that sends heartbeats", () => {
  it.prop([fc.array(standstill, { maxLength: 20 })])(
    "is never declared dead, however often and long the observer stands still",
    (standstills) => {
      const last = 20_000 + standstills.reduce((sum, each) => sum + each.after + each.for, 0)
      expect(watch(standstills, Infinity, last)).toBeUndefined()
    }
  )

  it.prop([fc.integer({ min: 1, max: 60_000 }), fc.integer({ min: 0, max: 2_000 })])(
    "and stood still together with the observer is not declared dead, though it runs again later than the observer",
    (forMs, laterMs) => {
      const liveness = new Liveness(LIMITS, 0)
      liveness.heard("peer")
      for (let now = forMs; now < forMs + laterMs; now += LOOK_MS) {
        liveness.observe(now)
        expect(liveness.silent()).toEqual([])
        for (const id of liveness.toProbe()) expect(liveness.probed(id, "silence")).toBe(false)
      }
    }
  )

  it.prop([fc.integer({ min: 2_100, max: 60_000 }), fc.integer({ min: 0, max: 1_900 })])(
    "and reconnects within two seconds of a standstill has not ended",
    (forMs, laterMs) => {
      const back = forMs + laterMs
      expect(watch([{ after: 0, for: forMs }], 0, back, () => "nobody")).toBeUndefined()
    }
  )
})

describe("A peer that ends", () => {
  it.prop([fc.integer({ min: 0, max: 30_000 })])(
    "is declared dead within 1.5 seconds when nothing listens under its name",
    (endMs) => {
      const dead = watch([], endMs, endMs + 10_000, (now) => now >= endMs ? "nobody" : "answered")!
      // Nothing is known for the first two seconds.
      expect(dead).toBeLessThanOrEqual(Math.max(endMs, 2_000) + 1_500)
    }
  )

  it.prop([fc.integer({ min: 0, max: 30_000 })])(
    "is declared dead within 4 seconds when it is only silent",
    (endMs) => {
      expect(watch([], endMs, endMs + 10_000)!).toBeLessThanOrEqual(endMs + 4_000)
    }
  )

  it.prop([fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 40, maxLength: 60 })])(
    "is declared dead by an observer that never runs for longer than a look",
    (lengths) => {
      const standstills = lengths.map((length) => ({ after: 0, for: length }))
      expect(watch(standstills, 0, Infinity)).toBeDefined()
    }
  )
})

describe("A peer that is held up", () => {
  it.prop([fc.integer({ min: 4_000, max: 120_000 })])(
    "is given as much time as it was promised, and no more",
    (mostMs) => {
      const liveness = new Liveness(LIMITS, 0)
      liveness.heard("peer")
      let now = 0
      for (;;) {
        liveness.observe(now += LOOK_MS)
        if (liveness.silent().length > 0 && !liveness.spare("peer", mostMs)) break
      }
      expect(now).toBeGreaterThan(mostMs)
      expect(now).toBeLessThan(mostMs + LIMITS.silentMs + LOOK_MS)
    }
  )
})
