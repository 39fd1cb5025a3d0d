/**
 * `pnpm bench [question|cluster ...] [--peers] [--rounds N] [--minutes N] [--only contender] [--quick]`, `pnpm bench report`,
 * `pnpm bench guard`, `pnpm bench failures`, `pnpm bench detection [--rounds N]`.
 *
 * Measures, prints the tables and keeps the figures in `results`; `--quick` is small and keeps nothing.
 */
import { parseArgs } from "node:util"
import { questions } from "../questions/index.ts"
import { guard } from "./guard.ts"
import { progress } from "./progress.ts"
import { report } from "./report.ts"
import { write } from "./results.ts"
import { run, steps } from "./run.ts"
import { table } from "./table.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "25" },
    only: { type: "string", multiple: true, default: [] },
    peers: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    rounds: { type: "string", default: "3" }
  }
})
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1))

const measure = async (): Promise<void> => {
  const named = positionals.flatMap((name) =>
    name === "cluster" ? ["W2c", "W3c", "W4c", "W5c", "W8c", "W11", "W12"] : [name]
  )
  const unknown = named.filter((name) => questions.every((each) => each.id !== name))
  const rounds = Number(values.rounds)
  const minutes = Number(values.minutes)
  if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1 || !(minutes > 0)) {
    const ids = questions.map((each) => each.id).join("|")
    console.error(
      `bench [${ids}|cluster ...] [--peers] [--rounds N] [--minutes N] | report | guard | failures | detection`
    )
    process.exit(2)
  }
  const asked = positionals.length === 0 ? questions : questions.filter((each) => named.includes(each.id))
  const options = { ...values, rounds }
  const bar = progress(steps(asked, options))
  const end = performance.now() + minutes * 60_000
  for (const [index, question] of asked.entries()) {
    // What is left is shared out among those that are left.
    const now = performance.now()
    const until = now + (end - now) / (asked.length - index)
    const result = await run(question, { ...options, until }, bar)
    bar.end()
    console.log(`\n## ${question.id}: ${question.title}\n\n${table(question, result)}`)
    if (!values.quick) write(`${question.id}.json`, `${JSON.stringify(result, undefined, 1)}\n`)
  }
}

switch (positionals[0]) {
  case "detection":
    await (await import("../detection/main.ts")).detection(Number(values.rounds))
    break
  case "failures":
    await import("../failures/main.ts")
    break
  case "report":
    report()
    break
  case "guard":
    process.exitCode = await guard() ? 0 : 1
    break
  default:
    await measure()
}
