/** What is asked: a workload, what is measured of it, and of whom. */
import type { Kind, OpenOptions, Pool } from "./contender.ts"

export interface Metric {
  readonly label: string
  readonly unit: string
  readonly better: "more" | "less"
  /** Whether it is drawn, and compared with the others. The rest is only told. */
  readonly main?: boolean
}

/** How large the workload is. */
export type Size = Readonly<Record<string, number>>

/** What a measurement is given. */
export interface Setting<S> {
  /** Opens the contender's pool. */
  readonly open: (options: Pick<OpenOptions, "long" | "workers">) => Promise<Pool>
  readonly size: S
  /** How long the adapter, and with it the library, took to import, in milliseconds. */
  readonly imported: number
  /** The pool that `open` gives is up already, and starting it does not count. */
  readonly warm: boolean
  /** The round, from 1. */
  readonly round: number
}

export interface Question<S extends Size = Size> {
  readonly id: string
  readonly title: string
  readonly metrics: Readonly<Record<string, Metric>>
  readonly full: S
  /** For trying things out, and for the guard. */
  readonly quick: S
  /** Starting is part of it: a first round fills the compile cache and does not count. */
  readonly starts?: boolean
  /** Seconds that a contender may take. */
  readonly limit: number
  /** Ours that take part; the first of a kind stands for it. */
  readonly ours: ReadonlyArray<string>
  /** The reference of each kind. */
  readonly bare: { readonly [K in Kind]?: string }
  /** Peers that take part: all of them unless named. */
  readonly peers?: ReadonlyArray<string>
  /** Python's pools that take part: all of them unless named. */
  readonly python?: ReadonlyArray<string>
  /** Runs in a process of its own. */
  readonly measure: (setting: Setting<S>) => Promise<Record<string, number | undefined>>
}

export const question = <const S extends Size>(
  of: Omit<Question, "full" | "measure" | "quick"> & {
    readonly full: S
    readonly quick: { readonly [K in keyof S]: number }
    readonly measure: (setting: Setting<{ readonly [K in keyof S]: number }>) => ReturnType<Question["measure"]>
  }
): Question => of as unknown as Question
