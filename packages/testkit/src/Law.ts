/**
 * Laws as values: a sentence, and a way to find out whether a backend keeps it. No test framework is known here; `vitest.ts` binds them to one.
 */
import * as fc from "fast-check"
import type { Capability } from "./Subject.ts"
import type { Trial } from "./Trial.ts"

/** A promise that every backend keeps. */
export interface Law {
  /** A sentence that is true of every backend. */
  readonly name: string
  /** The numbers of the contract's promises that it proves. */
  readonly promises: ReadonlyArray<number>
  /** What a backend must be able to do for the law to mean anything; one that cannot declares a gap. */
  readonly needs: ReadonlyArray<Capability>
  /** Whether it tries histories of its own making: the more, the better. */
  readonly histories?: boolean | undefined
  /** Whether `conformance` checks it in the deep run only. */
  readonly deep?: boolean | undefined
  /** How long it may take to answer, in milliseconds; 15 seconds by default. */
  readonly limit?: number | undefined
  /** Rejects when the law is broken. */
  readonly check: (trial: Trial) => Promise<void>
}

/** A law over arbitrary values. */
export interface PropertyLaw<Values extends [unknown, ...Array<unknown>]> extends Law {
  /** What values it is tried with. */
  readonly arbitraries: { readonly [K in keyof Values]: fc.Arbitrary<Values[K]> }
  /** Rejects when the law is broken for these values. */
  readonly holds: (trial: Trial, ...values: Values) => Promise<void>
}

/** Laws about one thing. */
export interface LawSet {
  /** What they are about: the title of the group. */
  readonly concept: string
  /** In the order in which they are checked. */
  readonly laws: ReadonlyArray<Law>
}

/** What there is to say about a law besides its sentence. */
export interface LawFacts {
  /** The numbers of the contract's promises that it proves. */
  readonly promises: ReadonlyArray<number>
  /** What a backend must be able to do for it to mean anything; nothing by default. */
  readonly needs?: ReadonlyArray<Capability> | undefined
  /** Whether it tries histories of its own making. */
  readonly histories?: boolean | undefined
  /** Whether `conformance` checks it in the deep run only: it takes long, and others of its kind are checked in every run. */
  readonly deep?: boolean | undefined
  /** How long it may take to answer, in milliseconds; 15 seconds by default. */
  readonly limit?: number | undefined
}

/** What there is to say about a property besides its sentence. */
export interface PropertyFacts extends LawFacts {
  /** How many values are tried; 100 by default. Each costs at least a round trip to a worker. */
  readonly runs?: number | undefined
}

/** A value for which a property does not answer counts as broken after so many milliseconds. */
const RUN_LIMIT = 5_000
/** After so many milliseconds no more values are tried, and what was found by then is the answer. */
const PROPERTY_LIMIT = 8_000

/** A law that is proved by an example. */
export const law = (name: string, facts: LawFacts, check: (trial: Trial) => Promise<void>): Law => ({
  name,
  promises: facts.promises,
  needs: facts.needs ?? [],
  histories: facts.histories,
  deep: facts.deep,
  limit: facts.limit,
  check
})

/** A law that is tried with many values. What breaks it is reported with the seed and the path that lead to it again. */
export const property = <Values extends [unknown, ...Array<unknown>]>(
  name: string,
  facts: PropertyFacts,
  arbitraries: { readonly [K in keyof Values]: fc.Arbitrary<Values[K]> },
  holds: (trial: Trial, ...values: Values) => Promise<void>
): PropertyLaw<Values> => ({
  name,
  promises: facts.promises,
  needs: facts.needs ?? [],
  histories: facts.histories,
  arbitraries,
  holds,
  check: async (trial) => {
    const proposition = fc.asyncProperty(
      fc.tuple(...arbitraries) as unknown as fc.Arbitrary<Values>,
      (values) => holds(trial, ...values)
    )
    await fc.assert(proposition, {
      numRuns: facts.runs ?? 100,
      timeout: RUN_LIMIT,
      interruptAfterTimeLimit: PROPERTY_LIMIT,
      ...trial.parameters as fc.Parameters<[Values]>
    })
  }
})

/** Names a group of laws. */
export const laws = (concept: string, members: ReadonlyArray<Law>): LawSet => ({ concept, laws: members })
