import { execFile } from "node:child_process"
import { globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { run } from "./program.ts"

const root = new URL("../..", import.meta.url).pathname
const readme = readFileSync(join(root, "README.md"), "utf8")

/** The programs of the README by the name on their first line, and what it says that each prints. */
const programs = new Map(
  [...readme.matchAll(/```ts\n\/\/ (\S+)\n(.*?)```\n(?:\n```text\n(.*?)```)?/gs)].map((
    [, name, code, output]
  ) => [name!, { code: code!, output }])
)

describe("README", () => {
  // A project of its own, outside of the repository, with the packages that the examples have.
  const folder = mkdtempSync(join(tmpdir(), "futures-readme-"))
  beforeAll(() => {
    symlinkSync(join(root, "examples/node_modules"), join(folder, "node_modules"))
    writeFileSync(join(folder, "package.json"), `{ "type": "module" }`)
    for (const [name, { code }] of programs) writeFileSync(join(folder, name), code)
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it("has at most 120 lines", () => {
    expect(readme.trimEnd().split("\n").length).toBeLessThanOrEqual(120)
  })

  it("keeps its first example to twelve lines", () => {
    const code = ["tasks.ts", "main.ts"].map((name) => programs.get(name)!.code).join("")
    expect(code.split("\n").filter((line) => line !== "").length).toBeLessThanOrEqual(12)
  })

  it("counts the examples of the tour right", () => {
    expect(readme).toContain("twelve small programs")
    expect(globSync(join(root, "examples/[0-9]*.ts"))).toHaveLength(12)
  })

  it("names the file of each piece of code, so that each is run or checked here", () => {
    expect([...programs.keys()]).toEqual(["tasks.ts", "main.ts", "effect.ts", "swap.ts"])
    expect(readme.match(/^```ts$/gm)).toHaveLength(programs.size)
  })

  it.concurrent.for(["main.ts", "effect.ts", "swap.ts"])("%s prints what the README says", async (name) => {
    const { output } = programs.get(name)!
    expect(output).toMatch(/\S/)
    expect(await run(join(folder, name), { EXECUTOR_BACKEND: undefined })).toMatchObject({
      exitCode: 0,
      stderr: "",
      stdout: output
    })
  })

  it.concurrent.for(["inline", "thread", "process"])("swap.ts prints the same on %s", async (backend) => {
    const { output } = programs.get("swap.ts")!
    expect(await run(join(folder, "swap.ts"), { EXECUTOR_BACKEND: backend })).toMatchObject({
      exitCode: 0,
      stderr: "",
      stdout: output
    })
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
