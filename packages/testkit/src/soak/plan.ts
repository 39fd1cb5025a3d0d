/** What is done in a soak: each round is a value that a seed leads to again. */
import type { ExecutorOptions } from "@futures/core"
import * as fc from "fast-check"
import type { Capability } from "../Subject.ts"
import { kinds } from "./kinds.ts"
import type { Kind } from "./kinds.ts"

/** Numbers point at one of the calls that have not settled by then. */
export type Step =
  | { readonly do: "submit"; readonly calls: ReadonlyArray<Kind> }
  | { readonly do: "cancel" | "interrupt"; readonly call: number }
  | { readonly do: "map"; readonly items: number; readonly taken: number }
  | { readonly do: "wait"; readonly millis: number }
  | { readonly do: "drain" }

export type End = "shutdown" | "cancel pending" | "shutdown in time" | "terminate" | "drain"

/** An executor of a round, what is done to it and to the one that lives through all rounds, and how it ends. */
export interface Round {
  readonly options: ExecutorOptions & { readonly maxWorkers: number; readonly concurrency: number }
  /** Whether it is done to the executor of this round alone. */
  readonly steps: ReadonlyArray<{ readonly visitor: boolean; readonly step: Step }>
  readonly end: End
}

/** Milliseconds. Short, so that executors shrink in a pause of a round and grow again. */
const IDLE = 10

const options = fc.record({
  maxWorkers: fc.integer({ min: 1, max: 4 }),
  minWorkers: fc.constantFrom(0, 0, 0, 1),
  concurrency: fc.constantFrom(1, 1, 2, 8),
  maxTasksPerWorker: fc.constantFrom(undefined, undefined, undefined, 50, 300),
  maxPending: fc.constantFrom(undefined, undefined, undefined, 100),
  whenFull: fc.constantFrom(undefined, "wait" as const, "reject" as const),
  idleTimeout: fc.constantFrom(undefined, IDLE, 0),
  grace: fc.constantFrom(5, 50),
  stacks: fc.constantFrom(undefined, undefined, "submit" as const)
})

const steps = (able: ReadonlyArray<Kind>): fc.Arbitrary<Step> => {
  const call = fc.oneof(...able.map((kind) => ({ arbitrary: fc.constant(kind), weight: kind.weight })))
  const one = fc.nat(1_000)
  return fc.oneof(
    {
      weight: 40,
      arbitrary: fc.record({
        do: fc.constant("submit" as const),
        calls: fc.array(call, { minLength: 1, maxLength: 150, size: "max" })
      })
    },
    { weight: 20, arbitrary: fc.record({ do: fc.constantFrom("cancel" as const, "interrupt" as const), call: one }) },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("map" as const),
        items: fc.integer({ min: 1, max: 40 }),
        taken: fc.integer({ min: 0, max: 40 })
      })
    },
    {
      weight: 20,
      arbitrary: fc.record({ do: fc.constant("wait" as const), millis: fc.constantFrom(0, 0, 0, 1, 3, 3 * IDLE) })
    },
    { weight: 3, arbitrary: fc.constant({ do: "drain" as const }) }
  )
}

/** The round of a seed, for a backend that can do so much. */
export const roundOf = (seed: number, abilities: ReadonlyArray<Capability>): Round => {
  const able = kinds.filter(({ needs }) => needs.every((need) => abilities.includes(need)))
  const rounds = fc.record<Round>({
    options,
    steps: fc.array(fc.record({ visitor: fc.boolean(), step: steps(able) }), { minLength: 40, maxLength: 40 }),
    end: fc.constantFrom("shutdown", "cancel pending", "shutdown in time", "terminate", "drain")
  })
  return fc.sample(rounds, { seed, numRuns: 1 })[0]!
}
