// Estimates pi by throwing darts on all cores: a stream of ever better estimates, which ends when one is good enough.
//
//   node examples/work/monte-carlo/main.ts 0.001

import { Executor } from "@futures/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { backend, backends } from "../../backends.ts"
import { throwDarts } from "./tasks.ts"
import type { Throws } from "./tasks.ts"

const goodEnough = Number(process.argv[2] ?? 0.002)
const workers = 2

const estimate = ({ inside, thrown }: Throws) => {
  const share = inside / thrown
  return { pi: 4 * share, error: 4 * Math.sqrt(share * (1 - share) / thrown), thrown }
}

const estimates = Stream.mergeAll(
  Array.from({ length: workers }, (_, seed) => Executor.stream(throwDarts, seed, 50_000)),
  { concurrency: "unbounded" }
).pipe(
  Stream.scan((): Throws => ({ thrown: 0, inside: 0 }), (sum, lot) => ({
    thrown: sum.thrown + lot.thrown,
    inside: sum.inside + lot.inside
  })),
  Stream.drop(1),
  Stream.map(estimate),
  // The end of the stream stops the generators.
  Stream.takeUntil(({ error }) => error < goodEnough)
)

const program = Stream.runForEach(
  estimates,
  ({ error, pi, thrown }) =>
    Effect.sync(() => console.log(`pi = ${pi.toFixed(5)} ± ${error.toFixed(5)} after ${thrown} darts`))
)

await using executor = Executor.open(backends, { backend, maxWorkers: workers })
await Effect.runPromise(Effect.provideService(program, Executor, executor))
