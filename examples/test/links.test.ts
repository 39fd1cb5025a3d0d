/** Links within the repository lead somewhere. */
import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { expect, it } from "vitest"

const root = new URL("../..", import.meta.url).pathname
const pages = globSync([
  "README.md",
  "CONTRIBUTING.md",
  ".changeset/README.md",
  "docs/**/*.md",
  "examples/**/README.md",
  "packages/*/README.md",
  "packages/*/src/**/*.md"
], { cwd: root })

it.for(pages)("%s links to what is there", (page) => {
  const text = readFileSync(join(root, page), "utf8").replaceAll(/^```.*?^```/gms, "")
  const targets = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target]) => target!)
  const broken = targets.filter((target) => !/^\w+:/.test(target) && !existsSync(join(root, dirname(page), target)))
  expect(broken).toEqual([])
})

it("docs/README.md has every page", () => {
  const index = readFileSync(join(root, "docs/README.md"), "utf8")
  expect(
    globSync("*.md", { cwd: join(root, "docs") }).filter((page) =>
      page !== "README.md" && !index.includes(`](${page})`)
    )
  )
    .toEqual([])
})
