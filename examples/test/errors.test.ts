/** `docs/errors.md`: every error has its place, and the code on the page does what stands below it. */
import * as core from "@futures/core"
import { execFile } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { run } from "./program.ts"

const root = new URL("../..", import.meta.url).pathname
const page = readFileSync(join(root, "docs/errors.md"), "utf8")

const fileOf = (name: string): string => new RegExp(`\`\`\`ts\\n// ${name}\\n(.*?)\`\`\``, "s").exec(page)![1]!

/** Pieces of the program, and what each prints. */
const pieces = [...page.matchAll(/```ts\n(?!\/\/ \w+\.ts\n)(.*?)```\n\n```text\n(.*?)```/gs)].map((
  [, code, output]
) => ({
  code: code!,
  output: output!
}))

const between = "----\n"

describe("docs/errors.md", () => {
  const folder = mkdtempSync(join(tmpdir(), "futures-errors-"))
  beforeAll(() => {
    const program = pieces.map(({ code }) => `await (async () => {\n${code}})()\n`)
    symlinkSync(join(root, "examples/node_modules"), join(folder, "node_modules"))
    writeFileSync(join(folder, "package.json"), `{ "type": "module" }`)
    writeFileSync(join(folder, "tasks.ts"), fileOf("tasks.ts"))
    writeFileSync(join(folder, "main.ts"), fileOf("main.ts") + program.join(`console.log("----")\n`))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it("has a heading for every error, and none for another", () => {
    const classes = Object.entries(core).filter(([, value]) =>
      typeof value === "function" && value.prototype instanceof Error
    )
    const headings = [...page.matchAll(/^## (\w+Error)$/gm)].map(([, name]) => name)
    expect(headings.toSorted()).toEqual(classes.map(([name]) => name).toSorted())
  })

  it("shows each piece of code with what it prints", () => {
    expect(page.match(/^```ts$/gm)).toHaveLength(pieces.length + 2)
    for (const section of page.split(/^## /m).slice(1)) expect(section).toContain("```text\n")
  })

  it("says what the code prints", async () => {
    const { exitCode, stderr, stdout } = await run(join(folder, "main.ts"))
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" })
    expect(stdout.split(between)).toEqual(pieces.map(({ output }) => output))
  })

  it("type-checks", async () => {
    const config = {
      extends: join(root, "tsconfig.test.json"),
      compilerOptions: { rootDir: "/", incremental: false, tsBuildInfoFile: null },
      include: ["*.ts"],
      references: []
    }
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config))
    const checked = promisify(execFile)(join(root, "node_modules/.bin/tsc"), ["-p", folder]).then(
      () => "",
      (error) => error.stdout
    )
    expect(await checked).toBe("")
  })
})
