/** Writes `results/README.md` and a chart a question from what was measured. */
import { questions } from "../questions/index.ts"
import { chart } from "./chart.ts"
import { read, write } from "./results.ts"
import type { Result } from "./results.ts"
import { table } from "./table.ts"

const rounds = (result: Result): number => Math.max(...result.runs.map((run) => run.round))

export const report = (): void => {
  const sections = questions.flatMap((question) => {
    const result = read(question)
    if (result === undefined) return []
    write(`${question.id}.svg`, chart(question, result))
    const { machine, taken } = result
    const where = `${machine["cores"]} cores of ${machine["processor"]}, Node ${machine["node"]}, ${
      machine["platform"]
    }`
    const when = `${taken.slice(0, 10)}, ${rounds(result)} rounds, load before ${machine["loadBefore"]}`
    return [
      `## ${question.id}: ${question.title}\n\n![${question.id}](${question.id}.svg)\n\n${
        table(question, result)
      }\n\n${where}; ${when}.\n`
    ]
  })
  const head =
    "# Results\n\nWritten by `pnpm bench report`; [the method](../../docs/benchmarks.md) says how to read it.\n"
  write("README.md", [head, ...sections].join("\n"))
}
