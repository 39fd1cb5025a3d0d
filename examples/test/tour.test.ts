import { globSync } from "node:fs"
import { basename } from "node:path"
import { expect, it } from "vitest"
import { run } from "./program.ts"

const folder = new URL("..", import.meta.url).pathname
const examples = globSync(`${folder}[0-9]*.ts`).map((file) => basename(file)).toSorted()

it("the tour runs every example in turn, plainly, and ends well", { timeout: 120_000 }, async () => {
  const { exitCode, stderr, stdout } = await run(`${folder}tour.ts`, { EXECUTOR_BACKEND: undefined })
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" })

  const sections = stdout.split(/^== /m).slice(1)
  expect(sections.map((section) => section.split(":")[0])).toEqual(examples)
  for (const section of sections) expect(section).toMatch(/^[^\n]+\nPython:  .+\n\n.+\n\n/s)

  expect(stdout).toMatch(new RegExp(`\n${examples.length} examples on thread in \\d+ s\n$`))
  // oxlint-disable-next-line no-control-regex
  expect(stdout).not.toMatch(/\x1b/)
})

it("a backend that does not exist ends the tour before it begins", async () => {
  const { exitCode, stderr, stdout } = await run(`${folder}tour.ts`, { EXECUTOR_BACKEND: "threads" })
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" })
  expect(stderr).toContain(`backend must be "thread" or "process" or "inline" or "cluster", not "threads"`)
})
