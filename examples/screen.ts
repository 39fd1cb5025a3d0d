/**
 * A picture of a terminal in which an example ran, for the README: `node examples/screen.ts` runs `02-who.ts` and writes `docs/images/who.svg`.
 */
import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"

const root = new URL("../", import.meta.url)
const program = "examples/02-who.ts"

const output = execFileSync(process.execPath, [program], { cwd: root, encoding: "utf8" })
const lines = [`$ node ${program}`, ...output.trimEnd().split("\n")]

const [fontSize, lineHeight, margin] = [13, 19, 16]
const width = Math.max(...lines.map((line) => line.length)) * fontSize * 0.61 + 2 * margin
const height = lines.length * lineHeight + 2 * margin

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
const text = lines.map((line, index) =>
  `<text x="${margin}" y="${margin + (index + 0.75) * lineHeight}"${index === 0 ? ` class="typed"` : ""}>${
    escaped(line)
  }</text>`
)

mkdirSync(new URL("docs/images/", root), { recursive: true })
writeFileSync(
  new URL("docs/images/who.svg", root),
  `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" width="${
    Math.ceil(width)
  }" height="${height}" role="img">
<title>What ${program} prints</title>
<style>
rect { fill: #f6f8fa; stroke: #d1d9e0 }
text { font: ${fontSize}px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: pre; fill: #1f2328 }
.typed { font-weight: bold }
@media (prefers-color-scheme: dark) {
  rect { fill: #151b23; stroke: #3d444d }
  text { fill: #f0f6fc }
}
</style>
<rect x="0.5" y="0.5" width="${Math.ceil(width) - 1}" height="${height - 1}" rx="8"/>
${text.join("\n")}
</svg>
`
)
