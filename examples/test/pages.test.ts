/** Code on the pages type-checks, and does what they say. */
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { programsOf, SEPARATOR } from "./pages/programs.ts"
import { makeProject, root, typeErrors } from "./pages/project.ts"
import type { Ended } from "./program.ts"
import { run } from "./program.ts"

const pages = new Map(
  // Pieces of the reference stand in doc comments, beside what they use.
  globSync(["README.md", "CONTRIBUTING.md", "docs/**/*.md", "packages/*/README.md"], {
    cwd: root,
    exclude: ["docs/api/**"]
  }).toSorted().map((page) => [page, programsOf(page, readFileSync(join(root, page), "utf8"))] as const)
)
const project = makeProject(pages)
const vitest = join(root, "node_modules/vitest/vitest.mjs")
afterAll(project.remove)

const runs = [...pages].flatMap(([page, programs]) =>
  programs.filter(({ pieces }) => pieces.some(({ isRun }) => isRun)).map((program) => ({ page, ...program }))
)

it("every piece of code on the pages type-checks", async () => {
  expect(await typeErrors(project)).toEqual([])
})

const runIn = (folder: string, name: string): Promise<Ended> =>
  name.endsWith(".test.ts")
    ? run(vitest, { NO_COLOR: "1", VITEST: undefined }, ["run", "--root", folder, name])
    : run(join(folder, name), { EXECUTOR_BACKEND: undefined })

describe.concurrent("on the pages", () => {
  it.for(runs)("$page: $name prints what the page says", async ({ name, page, pieces }) => {
    const { exitCode, stderr, stdout } = await runIn(join(project.folder, page), name)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" })
    const [module, ...others] = pieces
    const ran = [module!, ...others.filter(({ isRun }) => isRun)]
    const printed = stdout.split(`${SEPARATOR}\n`)
    expect(printed.map((output, index) => ran[index]?.output === undefined ? undefined : output)).toEqual(
      ran.map(({ output }) => output)
    )
  })
})

describe("the check of pages", () => {
  const fence = (code: string, mark = "ts"): string => `\`\`\`${mark}\n${code}\`\`\`\n`

  it("names the line of the page on which a piece does not type-check", async () => {
    const page = `# Page\n\n${fence(`// main.ts\nexport const four: number = 4\n`)}\n${fence("four.length\n")}`
    const planted = makeProject(new Map([["page.md", programsOf("page.md", page)]]))
    expect(await typeErrors(planted).finally(planted.remove)).toEqual([
      expect.stringMatching(/^page\.md\/main\.ts\(9,6\): error TS2339/)
    ])
  })

  it("runs what is marked or shows its output, and nothing else", () => {
    const page = fence("// main.ts\nimport {} from 'node:os'\n") + fence("one()\n") + fence("two()\n", "ts run") +
      fence("three()\n") + fence("3\n", "text")
    expect(programsOf("page.md", page)).toEqual([
      {
        name: "main.ts",
        pieces: [
          { line: 1, code: "// main.ts\nimport {} from 'node:os'\n", isRun: false, output: undefined },
          { line: 5, code: "one()\n", isRun: false, output: undefined },
          { line: 8, code: "two()\n", isRun: true, output: undefined },
          { line: 11, code: "three()\n", isRun: true, output: "3\n" }
        ]
      }
    ])
  })

  it("gives test files to vitest", async () => {
    const test = (four: number): string =>
      fence(
        `// four.test.ts\nimport { expect, it } from "vitest"\nit("is four", () => {\n  expect(4).toBe(${four})\n})\n`
      )
    const planted = makeProject(
      new Map([4, 5].map((four) => [`${four}.md`, programsOf("page.md", test(four))]))
    )
    const ended = await Promise.all([4, 5].map((four) => runIn(join(planted.folder, `${four}.md`), "four.test.ts")))
      .finally(planted.remove)
    expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 1])
    expect(ended[1]!.stderr).toContain("four.test.ts:5:")
  })

  it("refuses a piece with nothing before it, a name given twice, and a mark that it does not know", () => {
    expect(() => programsOf("page.md", fence("one()\n"))).toThrow("page.md, line 1: a fence without imports")
    expect(() => programsOf("page.md", fence("// a.ts\n") + fence("// a.ts\n"))).toThrow(
      "page.md, line 4: a.ts is on this page already"
    )
    expect(() => programsOf("page.md", fence("// a.ts\n", "typescript"))).toThrow(`say "ts" or "js", not "typescript"`)
    expect(() => programsOf("page.md", fence("// a.ts\n", "ts skip"))).toThrow(`marked "run", not "skip"`)
  })
})
