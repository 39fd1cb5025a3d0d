import { globSync, readFileSync } from "node:fs"
import { basename } from "node:path"
import { describe, expect, it } from "vitest"
import { printed, run } from "./program.ts"

const folder = new URL("..", import.meta.url).pathname

type Backend = "thread" | "process" | "inline" | "cluster"
const backends: ReadonlyArray<Backend> = ["thread", "process", "inline", "cluster"]

/** Where a job runs, as `printed` names it. */
const where: Readonly<Record<Backend, string>> = {
  thread: "process MAIN, thread N",
  process: "process CHILD, thread 0",
  inline: "process MAIN, thread 0",
  cluster: "process CHILD, thread 0"
}

/** What the example prints of its own accord on inline, and nowhere else. */
const onInline = (backend: Backend, note: string) => backend === "inline" ? [`(inline has no workers: ${note})`] : []

const example = async (file: string, backend?: Backend) => {
  const ended = await run(`${folder}${file}`, { EXECUTOR_BACKEND: backend })
  expect(ended).toMatchObject({ exitCode: 0, stderr: "" })
  return { ...ended, lines: printed(ended) }
}

const tested = new Set<string>()

/** What an example that takes no backend prints. */
const once = (file: string, check: (ended: Awaited<ReturnType<typeof example>>) => void) => {
  tested.add(file)
  it.concurrent(`${file}`, async () => check(await example(file)))
}

/** What an example prints on each backend. */
const onEach = (file: string, check: (lines: Array<string>, backend: Backend) => void) => {
  tested.add(file)
  for (const backend of backends) {
    it.concurrent(`${file} on ${backend}`, async () => check((await example(file, backend)).lines, backend))
  }
}

const ten = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

const numbered = globSync(`${folder}[0-9]*.ts`).map((file) => basename(file)).toSorted()

/** The text of the screen that the README shows, line by line. */
const screen = (): ReadonlyArray<string> => {
  const svg = readFileSync(`${folder}../docs/images/who.svg`, "utf8")
  return [...svg.matchAll(/<text[^>]*>(.*)<\/text>/g)].map(([, line]) => line!)
}

describe("examples", () => {
  // First: it takes the longest, and the others run beside it.
  it.concurrent("the tour runs every example in turn, plainly, and ends well", { timeout: 120_000 }, async () => {
    const { exitCode, stderr, stdout } = await run(`${folder}tour.ts`, { EXECUTOR_BACKEND: undefined })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" })

    const sections = stdout.split(/^== /m).slice(1)
    expect(sections.map((section) => section.split(":")[0])).toEqual(numbered)
    for (const section of sections) expect(section).toMatch(/^[^\n]+\nPython:  .+\n\n.+\n\n/s)

    expect(stdout).toMatch(new RegExp(`\n${numbered.length} examples on thread in \\d+ s\n$`))
    // oxlint-disable-next-line no-control-regex
    expect(stdout).not.toMatch(/\x1b/)
  })

  it.concurrent("a backend that does not exist ends the tour before it begins", async () => {
    const { exitCode, stderr, stdout } = await run(`${folder}tour.ts`, { EXECUTOR_BACKEND: "threads" })
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" })
    expect(stderr).toContain(`backend must be "thread" or "process" or "inline" or "cluster", not "threads"`)
  })

  once("01-call.ts", ({ lines }) => {
    expect(lines).toEqual(["calling who(2) here, with no executor", "it ran on process MAIN, thread 0"])
  })

  once("02-who.ts", ({ lines, stdout }) => {
    expect(lines).toEqual([
      "ThreadExecutor, started by process MAIN",
      ...ten.map((job) => `  job ${job} ran on ${where.thread}`),
      "ProcessExecutor, started by process MAIN",
      ...ten.map((job) => `  job ${job} ran on ${where.process}`)
    ])
    const workers = stdout.split("\n").filter((line) => line.startsWith("  job")).map((line) =>
      line.replace(/.* on /, "")
    )
    for (const ofPool of [new Set(workers.slice(0, 10)), new Set(workers.slice(10))]) {
      expect(ofPool.size).toBeGreaterThan(1)
      expect(ofPool.size).toBeLessThanOrEqual(4)
    }
    // The README shows what it prints, but for its ids.
    const nameless = (line: string): string => line.replaceAll(/(process|thread) [1-9]\d*/g, "$1 N")
    expect(screen().map(nameless)).toEqual(
      ["$ node examples/02-who.ts", ...stdout.trimEnd().split("\n")].map(nameless)
    )
  })

  onEach("03-timing.ts", (lines, backend) => {
    expect(lines.map((line) => line.replace(/^(  measured .*?) +\d+\.\d\d s$/, "$1"))).toEqual([
      "ten jobs of one second",
      "  one worker                 10.00 s",
      "  four workers, at best       3.00 s",
      `  measured on ${backend}`,
      ...onInline(backend, "jobs that block run one after another")
    ])
  })

  onEach("04-apply-async.ts", (lines, backend) => {
    expect(lines).toEqual([
      "4 jobs handed in, 0 done",
      ...[0, 1, 2, 3].map((job) => `job ${job} ran on ${where[backend]}`),
      ...onInline(backend, "this thread ran them, one after another")
    ])
  })

  onEach("05-not-blocking.ts", (lines, backend) => {
    const meanwhile = lines.filter((line) => line === "something else meanwhile")
    expect(meanwhile).not.toEqual([])
    expect(lines).toEqual([
      ...meanwhile,
      `the job ran on ${where[backend]}`,
      ...onInline(backend, "while the job blocked this thread, nothing else could be printed")
    ])
  })

  onEach("06-wait.ts", (lines, backend) => {
    expect(lines).toEqual([
      backend === "inline"
        ? expect.stringMatching(/^done after a tenth of a second: (true|false)$/)
        : "done after a tenth of a second: false",
      ...onInline(backend, "the job blocked this thread, so the tenth took a second"),
      "done after waiting for it: true",
      `it ran on ${where[backend]}`
    ])
  })

  onEach("07-successful.ts", (lines, backend) => {
    expect(lines.toSorted()).toEqual([
      `the bad job had an error: TypeError: sleep wants seconds, not "apple"`,
      `the good job was successful: ${where[backend].split(",")[0]}`
    ])
  })

  onEach("08-map.ts", (lines) => {
    expect(lines).toEqual(["squares: 0 1 4 9 16 25 36 49 64 81", "the first of four digits: 1024"])
  })

  onEach("09-as-completed.ts", (lines, backend) => {
    const [handedIn, ...rest] = lines
    expect(handedIn).toBe("handed in: who(1.6), who(1.1), who(0.6), who(0.1)")
    const finished = ["who(1.6)", "who(1.1)", "who(0.6)", "who(0.1)"].map((job) =>
      `${job} finished on ${where[backend]}`
    )
    // The order in which jobs finish is the machine's affair, except where one runs after another.
    if (backend === "inline") {
      expect(rest).toEqual([...finished, ...onInline(backend, "the first handed in is the first to finish")])
    } else expect(rest.toSorted()).toEqual(finished.toSorted())
  })

  onEach("10-first-completed.ts", (lines, backend) => {
    const [done, notDone] = ["done: ", "not done: "].map((label, index) => {
      expect(lines[index]!.startsWith(label)).toBe(true)
      return lines[index]!.slice(label.length).split(", ").filter((job) => job !== "")
    })
    expect(done!.length).toBeGreaterThan(0)
    expect([...done!, ...notDone!].toSorted()).toEqual(["who(0.1)", "who(1)", "who(1)"])
    if (backend === "inline") expect(done).toEqual(["who(1)"])
    expect(lines.slice(2)).toEqual(onInline(backend, "the first handed in is the first to finish"))
  })

  onEach("11-swap.ts", (lines, backend) => {
    expect(lines).toEqual([
      ...["inline", "thread", "process"].map((name) => `Executor.open, ${name}: 6765,10946,17711,28657`),
      ...["inline", "thread", "process"].map((name) => `Executor.layerConfig, ${name}: 6765,10946,17711,28657`),
      `the environment says ${backend}: 6765,10946,17711,28657`
    ])
  })

  onEach("12-two-faces.ts", (lines) => {
    expect(lines).toEqual([
      "promise: hello Ada Lovelace",
      "promise: nobody is called grace",
      "effect:  hello Ada Lovelace",
      "effect:  nobody is called grace"
    ])
  })

  once("13-cluster.ts", ({ lines }) => {
    const engines = [0, 1, 2, 3].map((index) => `engine-${index}`)
    const one = `(${engines.join("|")})`
    const [started, balanced, ...rest] = lines
    expect([started, balanced]).toEqual([
      "$ futures-cluster start -n 4",
      "load-balanced view: ten jobs, each on whichever engine is free"
    ])
    const jobs = rest.slice(0, 10).map((line) => new RegExp(`^  job (\\d) ran on ${one}, process CHILD$`).exec(line))
    expect(jobs.map((job) => Number(job?.[1]))).toEqual(ten)
    // Blocking jobs of a second keep one engine busy while another is free.
    expect(new Set(jobs.map((job) => job?.[2])).size).toBeGreaterThan(1)
    const everywhere = rest.slice(16, 20)
    expect(rest.slice(10, 16)).toEqual([
      "a job that outlives its client",
      "  handed in by one client, which leaves",
      "  the next one of its name has the outcome: process CHILD",
      "direct view: one engine",
      "  engine-2 answers from process CHILD",
      "on every engine"
    ])
    expect(everywhere.toSorted()).toEqual(engines.map((engine) => `  ${engine} is process CHILD`))
    expect(rest.slice(20)).toEqual([
      "prepared: each worker loads the words before its first call",
      "  knows future: true",
      "  knows past: false"
    ])
  })

  onEach("context/async-local-storage/main.ts", (lines) => {
    expect(lines).toEqual([
      "3 euros, says request a",
      "6 euros, says request b",
      "5 euros, says request undefined"
    ])
  })

  onEach("context/open-telemetry/main.ts", (lines) => {
    expect(lines).toEqual([
      "gold weighs 4, in trace 0af7651916cd43dd8448eb211c80319c",
      "air weighs 3, in no trace"
    ])
  })

  it("are all tested here", () => {
    expect(globSync(["[0-9]*.ts", "context/*/main.ts"], { cwd: folder }).toSorted()).toEqual([...tested].toSorted())
  })
})
