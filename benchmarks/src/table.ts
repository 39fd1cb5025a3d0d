/** Results as Markdown tables. */
import type { Metric, Question } from "./question.ts"
import { rows } from "./results.ts"
import type { Result, Row, Spread } from "./results.ts"

export const figure = (value: number): string => {
  const size = Math.abs(value)
  if (size >= 100) return Math.round(value).toLocaleString("en")
  return String(Number(value.toPrecision(3)))
}

/** A median with its extremes. */
const told = (spread: Spread | undefined, sign = ""): string => {
  if (spread === undefined) return ""
  const { max, median, min } = spread
  return min === max ? `${sign}${figure(median)}` : `${sign}${figure(median)} (${figure(min)} – ${figure(max)})`
}

const HEADS = ["contender", "median (min – max)", "× bare", "× best peer", "× best of Python"]

export const table = (question: Question, result: Result): string => {
  const parts = Object.entries(question.metrics).map(([name, metric]) => {
    const lines = rows(question, result, name).map(cells).filter((line) => line !== undefined)
    if (lines.length === 0) return ""
    const used = HEADS.map((_, column) => column < 2 || lines.some((line) => line[column] !== ""))
    const line = (all: ReadonlyArray<string>) => `| ${all.filter((_, column) => used[column]).join(" | ")} |`
    const rule = HEADS.map((_, column) => column === 0 ? "---" : "--:")
    return [heading(metric), "", line(HEADS), line(rule), ...lines.map(line)].join("\n")
  })
  return parts.filter(Boolean).join("\n\n")
}

const heading = ({ better, label, unit }: Metric): string =>
  `**${label}**${unit === "" ? "" : `, ${unit}`} (${better} is better)`

const cells = ({ bare, contender, failure, peer, python, value }: Row): ReadonlyArray<string> | undefined => {
  if (value === undefined && failure === undefined) return undefined
  const name = contender.role === "ours" ? `**${contender.name}**` : contender.name
  const outcome = [told(value), failure === undefined ? "" : `failed: ${failure.replaceAll("|", "/")}`]
  return [name, outcome.filter(Boolean).join("; "), told(bare), told(peer), told(python)]
}
