/** A question as a bar chart: a panel a main metric, a bar a contender, whiskers from the least to the most. */
import type { Question } from "./question.ts"
import { rows } from "./results.ts"
import type { Result, Row } from "./results.ts"
import { figure } from "./table.ts"

const WIDTH = 760
const LABEL = 190
const FIGURE = 90
const ROW = 20
const HEAD = 34

const fills = { ours: "#2f6fde", bare: "#9aa3ad", peer: "#e08a3c", python: "#6aa84f" }

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")

export const chart = (question: Question, result: Result): string => {
  let y = 30
  const panels: Array<string> = []
  for (const [name, { better, label, main, unit }] of Object.entries(question.metrics)) {
    const shown = rows(question, result, name).filter((row) => row.value !== undefined || row.failure !== undefined)
    if (main !== true || shown.length === 0) continue
    const title = `${label}${unit === "" ? "" : `, ${unit}`} (${better} is better)`
    panels.push(`<text x="8" y="${y + 20}" class="head">${escape(title)}</text>`)
    y += HEAD
    const most = Math.max(...shown.map((row) => row.value?.max ?? 0))
    for (const row of shown) {
      panels.push(bar(row, y, (WIDTH - LABEL - FIGURE) / most))
      y += ROW
    }
    y += 8
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}">
<style>
text { font: 12px system-ui, sans-serif; fill: #333 } .head { font-weight: 600 } .title { font-size: 15px; font-weight: 600 }
line { stroke: #333; stroke-width: 1 } @media (prefers-color-scheme: dark) { text { fill: #ddd } line { stroke: #ddd } }
</style>
<text x="8" y="22" class="title">${escape(`${question.id}: ${question.title}`)}</text>
${panels.join("\n")}
</svg>
`
}

const bar = ({ contender, value }: Row, y: number, scale: number): string => {
  const name = `<text x="${LABEL - 8}" y="${y + 14}" text-anchor="end">${escape(contender.name)}</text>`
  if (value === undefined) return `${name}<text x="${LABEL + 4}" y="${y + 14}">failed</text>`
  const at = (figure_: number): string => (LABEL + figure_ * scale).toFixed(1)
  const middle = y + ROW / 2
  return [
    name,
    `<rect x="${LABEL}" y="${y + 3}" width="${Math.max(1, value.median * scale).toFixed(1)}" height="${
      ROW - 6
    }" rx="2" fill="${fills[contender.role]}"/>`,
    `<line x1="${at(value.min)}" x2="${at(value.max)}" y1="${middle}" y2="${middle}"/>`,
    `<text x="${Number(at(value.max)) + 6}" y="${y + 14}">${figure(value.median)}</text>`
  ].join("")
}
