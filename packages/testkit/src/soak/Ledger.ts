/** The books of a soak, over all its executors. */

/** What was handed in, and what became of it. */
export class Ledger {
  readonly began = performance.now()
  submitted = 0
  succeeded = 0
  failed = 0
  cancelled = 0
  /** Calls that had not settled when their executor had ended: none. */
  unsettled = 0
  /** Futures that were done more than once: none. */
  twice = 0
  /** Workers that ended though nobody ended them. */
  crashes = 0
  executors = 0
  rounds = 0
  /** The most workers that an executor had at a time, for each `maxWorkers`. */
  readonly workers = new Map<number, number>()
  /** What went wrong; the first is enough to end the soak. */
  readonly faults: Array<unknown> = []

  sawWorkers(count: number, atMost: number): void {
    this.workers.set(atMost, Math.max(count, this.workers.get(atMost) ?? 0))
  }

  describe(): Array<string> {
    const number = (value: number): string => value.toLocaleString("en-US")
    const workers = [...this.workers].toSorted(([one], [other]) => one - other).map(([most, seen]) =>
      `${seen} of ${most}`
    )
    return [
      `submitted ${number(this.submitted)} = succeeded ${number(this.succeeded)} + failed ${
        number(this.failed)
      } + cancelled ${number(this.cancelled)} + pending ${this.unsettled}`,
      `${number(this.executors)} executors, ${number(this.rounds)} rounds, ${
        ((performance.now() - this.began) / 60_000).toFixed(1)
      } minutes`,
      `crashes survived ${number(this.crashes)}, futures unsettled ${this.unsettled}, settled twice ${this.twice}`,
      `workers at most: ${workers.join(", ")}`
    ]
  }
}
