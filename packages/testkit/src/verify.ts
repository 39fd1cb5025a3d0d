/** Checks laws without a test framework. */
import type * as fc from "fast-check"
import type { Law, LawSet } from "./Law.ts"
import { contract } from "./laws.ts"
import type { Gap, Subject } from "./Subject.ts"
import { Bench } from "./Trial.ts"

/** What became of a law on a backend. */
export type Verdict =
  | { readonly law: Law; readonly verdict: "kept" }
  | { readonly law: Law; readonly verdict: "broken"; readonly error: unknown }
  | { readonly law: Law; readonly verdict: "gap"; readonly gap: Gap }

/** What to check, and how. */
export interface VerifyOptions {
  /** Every law of the contract by default. */
  readonly laws?: ReadonlyArray<LawSet> | undefined
  /** Settings of fast-check: a seed and a path to replay, more runs. */
  readonly parameters?: fc.Parameters<unknown> | undefined
}

/** The declared gaps that excuse from no law: a name that is misspelt, or a law that is gone. */
export const staleGaps = (subject: Subject, sets: ReadonlyArray<LawSet> = contract): ReadonlyArray<Gap> => {
  const all = sets.flatMap(({ laws }) => laws)
  return (subject.gaps ?? []).filter(({ name }) =>
    !all.some((law) => law.name === name || law.needs.some((need) => need === name))
  )
}

/**
 * Checks laws on a backend, one after another, and says what became of each.
 *
 * ```ts
 * for await (const { law, verdict } of verify({ name: "vm", executor: VmExecutor })) console.log(verdict, law.name)
 * ```
 */
export async function* verify(subject: Subject, options: VerifyOptions = {}): AsyncGenerator<Verdict, void> {
  const bench = new Bench(subject, options.parameters)
  try {
    for (const law of (options.laws ?? contract).flatMap(({ laws }) => laws)) {
      const gap = bench.gapOf(law)
      if (gap !== undefined) yield { law, verdict: "gap", gap }
      else {yield await bench.check(law).then(
          (): Verdict => ({ law, verdict: "kept" }),
          (error): Verdict => ({ law, verdict: "broken", error })
        )}
    }
  } finally {
    await bench.close()
  }
}
