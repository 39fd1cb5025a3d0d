/** The findings as Markdown, and where they stand on the page of failures. */
import { readFileSync, writeFileSync } from "node:fs"
import type { Findings } from "./main.ts"
import { libraries } from "./pools.ts"
import type { Kind } from "./pools.ts"
import { scenes } from "./scenes.ts"

const page = new URL("../../docs/failures.md", import.meta.url)
const [BEGIN, END] = ["<!-- failures of others: begin -->", "<!-- failures of others: end -->"]

const tableOf = ({ cells, versions }: Findings, kind: Kind): string => {
  const columns = libraries.filter((each) => each.kind === kind && versions[each.name] !== undefined)
  const heads = columns.map(({ name }) => name === "@futures" ? name : `${name} ${versions[name]}`)
  const rows = scenes.filter((scene) => cells.some((cell) => cell.scene === scene.id && cell.kind === kind)).map(
    (scene) => {
      const [name, file] = scene.test
      const row = columns.map((column) => {
        const cell = cells.find((each) => each.scene === scene.id && each.library === column.name && each.kind === kind)
        return cell === undefined ? "" : cell.problems.map(escape).join("; ") || "✓"
      })
      return [scene.title, ...row, `[${name}](../packages/${file})`]
    }
  )
  return [["What happens", ...heads, "Our test"], ["---", ...heads.map(() => "---"), "---"], ...rows].map((row) =>
    `| ${row.join(" | ")} |`
  ).join("\n")
}

const escape = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "\\<").replaceAll("*", "\\*")

export const tables = (findings: Findings): string =>
  `### On threads\n\n${tableOf(findings, "thread")}\n\n### In processes\n\n${tableOf(findings, "process")}`

/** Replaces what stands between the marks. */
export const writePage = (findings: Findings): void => {
  const text = readFileSync(page, "utf8")
  const [before, rest] = text.split(BEGIN) as [string, string]
  const [, after] = rest.split(END) as [string, string]
  const { machine, taken } = findings
  const when = `Seen on ${taken.slice(0, 10)}, Node ${machine["node"]}, ${machine["platform"]}, ${
    machine["cores"]
  } cores, load ${machine["loadBefore"]} before.`
  writeFileSync(page, `${before}${BEGIN}\n\n${when}\n\n${tables(findings)}\n\n${END}${after}`)
}
