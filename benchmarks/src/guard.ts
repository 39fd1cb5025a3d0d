/**
 * Says no when one of ours has become clearly worse, measured by the bare references of the same run. Ratios alone, and generous ones: times differ by
 * the machine and by what else it does.
 */
import { questions } from "../questions/index.ts"
import { progress } from "./progress.ts"
import { rows } from "./results.ts"
import { run, steps } from "./run.ts"
import type { RunOptions } from "./run.ts"
import { figure } from "./table.ts"

/** How many times the bare reference: at least where more is better, at most where less is. */
const limits: ReadonlyArray<readonly [question: string, metric: string, contender: string, limit: number]> = [
  ["W2", "rate", "thread", 0.05],
  ["W2", "rate", "process", 0.04],
  ["W3", "p50", "thread", 4],
  ["W3", "p50", "process", 4],
  ["W4", "rate", "thread", 0.03],
  ["W4", "rate", "process", 0.04],
  ["W8", "makespan", "thread", 2],
  ["W8", "makespan", "process", 2]
]

/** Whether all is well. */
export const guard = async (): Promise<boolean> => {
  const options: RunOptions = { rounds: 3, peers: false, quick: true, only: [] }
  const asked = questions.filter(({ id }) => limits.some(([question]) => question === id))
  const bar = progress(steps(asked, options))
  let well = true
  const lines: Array<string> = []
  for (const question of asked) {
    const result = await run(question, options, bar)
    for (const [id, metric, contender, limit] of limits) {
      if (id !== question.id) continue
      const row = rows(question, result, metric).find((each) => each.contender.name === contender)!
      const more = question.metrics[metric]!.better === "more"
      // One good round is enough: a regression is bad in all of them.
      const best = more ? row.bare?.max : row.bare?.min
      const holds = best !== undefined && (more ? best >= limit : best <= limit)
      well &&= holds
      const measured = best === undefined ? `no figure (${row.failure ?? "no reference"})` : `${figure(best)} × bare`
      lines.push(
        `${holds ? "ok  " : "FAIL"} ${id} ${metric}, ${contender}: ${measured}, ${more ? "least" : "most"} ${limit}`
      )
    }
  }
  bar.end()
  console.log(lines.join("\n"))
  return well
}
