/** What was measured, as it is kept in `results`, and what follows from it. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { availableParallelism, cpus, loadavg, totalmem } from "node:os"
import { contenders } from "./contender.ts"
import type { Contender } from "./contender.ts"
import type { Question, Size } from "./question.ts"

/** One contender in one round. */
export interface Run {
  readonly round: number
  readonly contender: string
  readonly metrics?: Readonly<Record<string, number>>
  /** Why there are none. */
  readonly failure?: string
}

export interface Result {
  readonly question: string
  readonly taken: string
  readonly machine: Readonly<Record<string, number | string>>
  readonly size: Size
  readonly runs: ReadonlyArray<Run>
}

/** The load is what ran on the machine before we began: above nothing, times are those of a busy machine. */
export const machine = (): Result["machine"] => ({
  processor: cpus()[0]?.model ?? "unknown",
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.versions.node,
  platform: `${process.platform} ${process.arch}`,
  loadBefore: Math.round(loadavg()[0]! * 10) / 10
})

const folder = new URL("../results/", import.meta.url)

export const write = (name: string, text: string): void => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(name, folder), text)
}

export const read = (question: Question): Result | undefined => {
  try {
    return JSON.parse(readFileSync(new URL(`${question.id}.json`, folder), "utf8")) as Result
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw error
  }
}

/** A figure over the rounds. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

const spread = (values: ReadonlyArray<number>): Spread | undefined => {
  if (values.length === 0) return undefined
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}

/** A contender's figures for a metric, one a round, and how it compares with others of its round. */
export interface Row {
  readonly contender: Contender
  readonly value: Spread | undefined
  /** Times the bare reference. */
  readonly bare: Spread | undefined
  /** Times the best peer on Node that works in the same way. */
  readonly peer: Spread | undefined
  /** Times the best of Python's pools. */
  readonly python: Spread | undefined
  readonly failure: string | undefined
}

export const rows = (question: Question, { runs }: Result, metric: string): ReadonlyArray<Row> => {
  const { better } = question.metrics[metric]!
  const rounds = [...new Set(runs.map((run) => run.round))]
  const valueOf = (name: string, round: number): number | undefined =>
    runs.find((run) => run.contender === name && run.round === round)?.metrics?.[metric]
  const best = (among: ReadonlyArray<Contender>, round: number): number | undefined => {
    const values = among.map((each) => valueOf(each.name, round)).filter((value) => value !== undefined)
    if (values.length === 0) return undefined
    return better === "more" ? Math.max(...values) : Math.min(...values)
  }
  const times = (contender: Contender, others: ReadonlyArray<Contender>): Spread | undefined =>
    spread(rounds.flatMap((round) => {
      const value = valueOf(contender.name, round)
      const other = best(others, round)
      return value === undefined || other === undefined || other === 0 ? [] : [value / other]
    }))
  return contenders.filter((each) => runs.some((run) => run.contender === each.name)).map((contender) => {
    const like = contenders.filter((each) => each.kind === contender.kind)
    const mine = contender.role === "ours"
    return {
      contender,
      value: spread(rounds.flatMap((round) => valueOf(contender.name, round) ?? [])),
      bare: times(contender, mine ? like.filter((each) => each.name === question.bare[contender.kind]) : []),
      peer: times(contender, mine ? like.filter((each) => each.role === "peer") : []),
      python: times(contender, mine ? contenders.filter((each) => each.role === "python") : []),
      failure: runs.find((run) => run.contender === contender.name && run.failure !== undefined)?.failure
    }
  })
}
