/** Transcripts on the pages (`repl`), typed into the REPL of Node: each page is one session. */
import { spawn } from "node:child_process"
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it, onTestFinished } from "vitest"

const root = new URL("../..", import.meta.url).pathname

interface Entry {
  readonly typed: string
  readonly printed: string
}

/** What is typed on a page, and what it prints. */
const entriesOf = (page: string): ReadonlyArray<Entry> =>
  [...page.matchAll(/^```repl\n((?:.*\n)*?)```$/gm)].flatMap(([, body]) =>
    body!.split(/^> /m).slice(1).map((entry) => {
      const [typed = "", ...printed] = entry.trimEnd().split("\n")
      return { typed, printed: printed.join("\n") }
    })
  )

const PROMPT = "> "

/** Types the lines, each when the one before it is done, and returns what each of them prints. */
const session = async (lines: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const repl = spawn(process.execPath, ["-i"], {
    // Where the packages are found.
    cwd: join(root, "examples"),
    env: { ...process.env, NO_COLOR: "1", NODE_REPL_HISTORY: "", NODE_OPTIONS: undefined, VITEST: undefined },
    stdio: ["pipe", "pipe", "inherit"]
  })
  onTestFinished(() => void repl.kill("SIGKILL"))
  let text = ""
  let wake = (): void => {}
  repl.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk
    wake()
  })
  const prompted = async (): Promise<string> => {
    while (!text.endsWith(PROMPT)) await new Promise<void>((resolve) => wake = resolve)
    const printed = text.slice(0, -PROMPT.length)
    text = ""
    return printed.trimEnd()
  }
  await prompted()
  const printed: Array<string> = []
  for (const line of lines) {
    repl.stdin.write(`${line}\n`)
    printed.push(await prompted())
  }
  return printed
}

/** Node prints where an error was thrown, and its own fields: that is not on the page. */
const withoutStack = (printed: string): string =>
  printed.startsWith("Uncaught") ? printed.split("\n").slice(0, 2).join("\n") : printed

const pages = globSync("docs/*.md", { cwd: root }).toSorted().flatMap((page) => {
  const entries = entriesOf(readFileSync(join(root, page), "utf8"))
  return entries.length === 0 ? [] : [{ page, entries }]
})

it("there are transcripts", () => {
  expect(pages.map(({ page }) => page)).toEqual(["docs/interactive.md"])
})

it.for(pages)("$page: the REPL prints what the page says", async ({ entries }) => {
  const printed = await session(entries.map(({ typed }) => typed))
  const said = entries.map(({ typed }, index) => `${PROMPT}${typed}\n${withoutStack(printed[index]!)}`)
  expect(said.join("\n")).toBe(entries.map((entry) => `${PROMPT}${entry.typed}\n${entry.printed}`).join("\n"))
})
