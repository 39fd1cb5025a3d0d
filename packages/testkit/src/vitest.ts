/** Binds the laws to vitest: each is a test, and each gap is a skipped test that says why. */
import type * as fc from "fast-check"
import { afterAll, describe, test } from "vitest"
import { deepen, deepPlan } from "./deep.ts"
import type { LawSet } from "./Law.ts"
import { contract } from "./laws.ts"
import type { Subject } from "./Subject.ts"
import { Bench } from "./Trial.ts"
import { staleGaps } from "./verify.ts"

/** What to check, and how. */
export interface ConformanceOptions {
  /** Every law of the contract by default. */
  readonly laws?: ReadonlyArray<LawSet> | undefined
  /** Settings of fast-check: the `seed` and `path` of a report replay what broke a property. */
  readonly parameters?: fc.Parameters<unknown> | undefined
}

/** The bench itself gives up on a law sooner, and says for what it waited. */
const TEST_LIMIT = 60_000

/**
 * Declares a test for each law.
 *
 * ```ts
 * // conformance.test.ts
 * conformance({ name: "vm", executor: VmExecutor, gaps: [{ name: "workers", reason: "calls run in the caller's thread" }] })
 * ```
 */
export const conformance = (subject: Subject, options: ConformanceOptions = {}): void => {
  const sets = options.laws ?? contract
  const stale = staleGaps(subject, sets)
  if (stale.length > 0) {
    throw new Error(`Gaps of ${subject.name} that excuse from no law: ${stale.map(({ name }) => name).join(", ")}`)
  }
  const replay = process.env["FUTURES_REPLAY"]
  const bench = new Bench(subject, replay === undefined ? options.parameters : JSON.parse(replay))
  const deep = deepPlan(sets)
  let deepOnly = 0
  let runs = 0
  describe(subject.name, () => {
    const excused = new Map<string, number>()
    for (const { concept, laws } of sets) {
      if (laws.length === 0) continue
      describe(concept, () => {
        for (const law of laws) {
          if (law.deep === true && deep === undefined) {
            deepOnly++
            continue
          }
          const title = law.promises.length === 0
            ? law.name
            : `${law.name} (${law.promises.map((number) => `#${number}`).join(" ")})`
          const gap = bench.gapOf(law)
          const share = deep?.share(law)
          if (gap === undefined && share !== undefined) {
            test(title, { timeout: 0 }, async () => {
              runs += (await deepen(subject, law, share, (line) => console.info(line))).runs
            })
          } else if (gap === undefined) test(title, { timeout: (law.limit ?? 0) + TEST_LIMIT }, () => bench.check(law))
          else {
            // The ground does not allow the promise on this backend: its author says why, and the title shows it.
            excused.set(gap.name, (excused.get(gap.name) ?? 0) + 1)
            test.skip(`${title}: a gap (${gap.name}), ${gap.reason}`)
          }
        }
      })
    }
    afterAll(async () => {
      for (const { name, reason } of subject.gaps ?? []) {
        console.info(`${subject.name}: a gap in ${excused.get(name) ?? 0} laws (${name}): ${reason}`)
      }
      if (deepOnly > 0) console.info(`${subject.name}: ${deepOnly} laws are left to the deep run (FUTURES_MINUTES)`)
      if (deep !== undefined) console.info(`${subject.name}: ${runs} runs in all`)
      await bench.close()
    }, TEST_LIMIT)
  })
}
