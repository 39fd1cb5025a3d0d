/**
 * The deep run: the same laws, tried with other values for as long as `FUTURES_MINUTES` says.
 *
 * It goes in slices, each with a seed of its own and soon over, so that whoever watches sees that it lives, and what broke is found again by its seed.
 */
import * as fc from "fast-check"
import type { Law, LawSet } from "./Law.ts"
import type { Subject } from "./Subject.ts"
import { Bench } from "./Trial.ts"

/** More than any slice can try: time ends it. */
const ALL = 1_000_000

/** Whether a law is tried with values that somebody picks, and has more to say when it is tried again. */
const isRandom = (law: Law): boolean => "arbitraries" in law || law.histories === true

/** A plan for the random laws of a backend. */
export interface DeepPlan {
  /** How long a law is to be tried, in milliseconds; `undefined` when it says all it can at once. */
  readonly share: (law: Law) => number | undefined
}

/** What `FUTURES_MINUTES` asks for: half the time for histories, the other half for all other values. `undefined` for a common run. */
export const deepPlan = (sets: ReadonlyArray<LawSet>): DeepPlan | undefined => {
  const minutes = Number(process.env["FUTURES_MINUTES"] ?? 0)
  if (!(minutes > 0)) return undefined
  const random = sets.flatMap(({ laws }) => laws).filter(isRandom)
  const histories = random.filter((law) => law.histories).length
  const others = random.length - histories
  const each = minutes * 60_000 / (histories === 0 || others === 0 ? 1 : 2)
  return {
    share: (law) => isRandom(law) ? each / (law.histories ? histories : others) : undefined
  }
}

/** What came of a deep run of one law. */
export interface DeepCount {
  readonly runs: number
}

/** Tries a law until its time is over. Rejects with the first values that break it, and when there was no time to try any. */
export const deepen = async (
  subject: Subject,
  law: Law,
  share: number,
  print: (line: string) => void
): Promise<DeepCount> => {
  const until = performance.now() + share
  let runs = 0
  do {
    // As fast-check picks one when none is given.
    const seed = Date.now() ^ Math.random() * 0x1_0000_0000
    let tried = 0
    const left = until - performance.now()
    const bench = new Bench(subject, {
      seed,
      numRuns: ALL,
      interruptAfterTimeLimit: Math.min(SLICE, Math.max(left, 1)),
      reporter: (details) => {
        tried = details.numRuns
        // The last slice may be over before anything was tried: fast-check takes that for a failure, though nothing was broken.
        const over = details.interrupted && details.counterexample === null
        if (details.failed && !over) throw new Error(fc.defaultReportMessage(details), { cause: details.errorInstance })
      }
    })
    try {
      await bench.check(law)
    } finally {
      await bench.close()
      runs += tried
      print(`${subject.name}: ${tried} runs with seed ${seed}: ${law.name}`)
    }
  } while (performance.now() < until)
  if (runs === 0) throw new Error(`Nothing was tried within ${Math.round(share)} ms: give it more time`)
  return { runs }
}

/** Milliseconds of a slice: what a law may take to answer leaves room for values that hang at its end. */
const SLICE = 8_000
