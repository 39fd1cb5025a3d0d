import { Task } from "@futures/core"

/** Darts thrown at a square, and those of them within the circle in it. */
export interface Throws {
  readonly thrown: number
  readonly inside: number
}

/** Numbers that look random, the same for the same seed (mulberry32). */
const random = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}

export const { throwDarts } = Task.module(import.meta, {
  /** Throws darts for as long as somebody wants to know, and tells of each lot. */
  throwDarts: function*(seed: number, lot: number): Generator<Throws> {
    const next = random(seed)
    while (true) {
      let inside = 0
      for (let dart = 0; dart < lot; dart++) if (next() ** 2 + next() ** 2 < 1) inside++
      yield { thrown: lot, inside }
    }
  }
})
