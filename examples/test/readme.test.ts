/** What holds for the README alone; `pages.test.ts` runs its programs. */
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { programsOf } from "./pages/programs.ts"
import { makeProject, root } from "./pages/project.ts"
import { run } from "./program.ts"

const readme = readFileSync(join(root, "README.md"), "utf8")
const programs = programsOf("README.md", readme)
const pieceOf = (name: string) => programs.find((program) => program.name === name)!.pieces[0]!

describe("README", () => {
  const project = makeProject(new Map([["README.md", programs]]))
  afterAll(project.remove)

  it("has at most 180 lines", () => {
    expect(readme.trimEnd().split("\n").length).toBeLessThanOrEqual(180)
  })

  it("keeps its first example to twelve lines", () => {
    const code = ["tasks.ts", "main.ts"].flatMap((name) => pieceOf(name).code.split("\n").slice(1))
    expect(code.filter((line) => line !== "").length).toBeLessThanOrEqual(12)
  })

  it("counts the examples of the tour right", () => {
    expect(readme).toContain("thirteen small programs")
    expect(globSync(join(root, "examples/[0-9]*.ts"))).toHaveLength(13)
  })

  it("says what each of its programs prints", () => {
    expect(
      programs.filter(({ name }) => name !== "tasks.ts").flatMap(({ name, pieces }) =>
        pieces.filter(({ output }) => output === undefined).map(() => name)
      )
    ).toEqual([])
  })

  it.concurrent.for(["inline", "thread", "process"])("swap.ts prints the same on %s", async (backend) => {
    const ended = await run(join(project.folder, "README.md/swap.ts"), { EXECUTOR_BACKEND: backend })
    expect(ended).toMatchObject({ exitCode: 0, stderr: "", stdout: pieceOf("swap.ts").output })
  })
})
