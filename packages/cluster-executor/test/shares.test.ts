/** Whose slot an executor that waits asks for, over clusters of any shape. */
import { fc, it } from "@fast-check/vitest"
import { describe, expect } from "vitest"
import { chooseRecall } from "../src/client/shares.ts"

/** Slots of each engine, each held by one of some executors. */
const cluster = fc.integer({ min: 2, max: 5 }).chain((owners) =>
  fc.array(fc.array(fc.nat({ max: owners - 1 }), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 }).map((
    engines
  ) => ({ owners, engines }))
)

const seen = (engines: ReadonlyArray<ReadonlyArray<number>>) =>
  engines.map((slots, index) => ({
    id: `engine-${index}`,
    labels: {},
    slots: slots.length,
    running: slots.length,
    held: Object.fromEntries(slots.map((owner) => [
      `${owner}`,
      { count: slots.filter((each) => each === owner).length, forMs: 1_000 }
    ]))
  }))

const heldBy = (engines: ReadonlyArray<ReadonlyArray<number>>, owner: number): number =>
  engines.flat().filter((each) => each === owner).length

/** One round: each executor that wants more asks once, and is given the slot. Returns how many slots changed hands. */
const round = (engines: Array<Array<number>>, owners: number): number => {
  let changes = 0
  for (let owner = 0; owner < owners; owner++) {
    const held = heldBy(engines, owner)
    const recall = chooseRecall({ owner: `${owner}`, held, labels: {} }, seen(engines), () => false)
    if (recall === undefined) continue
    const slots = engines[Number(recall.engine.slice("engine-".length))]!
    slots[slots.indexOf(Number(recall.owner))] = owner
    changes++
  }
  return changes
}

describe("Executors that all want more", () => {
  it.prop([cluster])(
    "each hold a share, give or take one slot, and then nothing changes any more",
    ({ engines, owners }) => {
      fc.pre(engines.flat().length >= owners)
      let rounds = 0
      while (round(engines, owners) > 0) expect(++rounds).toBeLessThan(100)
      const counts = Array.from({ length: owners }, (_, owner) => heldBy(engines, owner))
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
    }
  )

  it.prop([cluster])(
    "and are more than there are slots: each has one within as many rounds as there are executors",
    ({ engines, owners }) => {
      fc.pre(engines.flat().length < owners)
      for (let owner = 0; owner < owners; owner++) {
        if (heldBy(engines, owner) > 0) continue
        const recall = chooseRecall({ owner: `${owner}`, held: 0, labels: {} }, seen(engines), () => false)
        expect(recall).toBeDefined()
        expect(recall!.owner).not.toBe(`${owner}`)
      }
    }
  )
})

describe("An executor that waits", () => {
  it.prop([cluster])("asks no engine while a slot is free that it may have", ({ engines }) => {
    const all = seen(engines)
    const free = [...all, { id: "free", labels: {}, slots: 1, running: 0, held: {} }]
    expect(chooseRecall({ owner: "new", held: 0, labels: {} }, free, () => false)).toBeUndefined()
    // One that it may not have does not count.
    const other = [...all, { id: "free", labels: { gpu: "yes" }, slots: 1, running: 0, held: {} }]
    expect(chooseRecall({ owner: "new", held: 0, labels: { gpu: "yes" } }, other, () => false)).toBeUndefined()
    expect(chooseRecall({ owner: "new", held: 0, labels: {}, engine: "engine-0" }, other, () => false))
      .toMatchObject({ engine: "engine-0" })
  })

  it.prop([cluster])("asks each engine once, the one of whom holds most first", ({ engines }) => {
    const asked: Array<string> = []
    for (;;) {
      const recall = chooseRecall({ owner: "new", held: 0, labels: {} }, seen(engines), (id) => asked.includes(id))
      if (recall === undefined) break
      asked.push(recall.engine)
    }
    expect(new Set(asked).size).toBe(engines.length)
    const first = chooseRecall({ owner: "new", held: 0, labels: {} }, seen(engines), () => false)!
    const most = Math.max(...engines.flat().map((owner) => heldBy(engines, owner)))
    expect(heldBy(engines, Number(first.owner))).toBe(most)
  })
})
