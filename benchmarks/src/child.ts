/** One contender, one question, one measurement, in a process of its own. The answer goes to descriptor 3. */
import { writeSync } from "node:fs"
import type { Adapter, Contender } from "./contender.ts"
import type { Question, Size } from "./question.ts"

const { contender, id, round, size } = JSON.parse(process.argv[2]!) as {
  readonly contender: Contender
  readonly id: string
  readonly round: number
  readonly size: Size
}
const { default: asked } = await import(`../questions/${id}.ts`) as { readonly default: Question }
const before = performance.now()
const adapter = await import(`../contenders/${contender.file}`) as Adapter
const imported = performance.now() - before

// Not everyone holds the process while calls are in flight.
setInterval(() => {}, 1000)
const { kind, variant } = contender
const open = async (options: { readonly workers: number; readonly long?: boolean }) =>
  adapter.open({ ...options, kind, variant })
const found = await asked.measure({ open, size, imported, round, warm: variant === "warm" })
writeSync(3, JSON.stringify(found))
// Not everyone lets go of the process.
process.exit(0)
