/**
 * `docs/coming-from-python.md`: each row of its tables is a row in `python`, under the same name, and the code in its second column stands in the row
 * as it is on the page.
 */
import { Cluster } from "@futures/cluster-executor"
import type { Executor } from "@futures/core"
import { ProcessExecutor } from "@futures/process-executor"
import { ThreadExecutor } from "@futures/thread-executor"
import { globSync, readFileSync } from "node:fs"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import "./python/futures.ts"
import "./python/pools.ts"
import "./python/clusters.ts"
import { clusterRows, rows } from "./python/rows.ts"

const folder = new URL("../..", import.meta.url).pathname
const page = readFileSync(`${folder}docs/coming-from-python.md`, "utf8")
const source = ["futures", "pools", "clusters"].map((name) =>
  readFileSync(new URL(`python/${name}.ts`, import.meta.url), "utf8")
).join("\n")

const unquote = (cell: string): string => cell.replaceAll("`", "").replaceAll("\\_", "_").trim()
const flat = (text: string): string =>
  text.replaceAll(/\s+/g, " ").replaceAll(/([([{]) | ([)\]}])|,(?= ?[)\]}])/g, "$1$2")

/** Rows of the tables whose first column is Python. */
const onPage = page.split(/\n(?=\| Python )/).slice(1).flatMap((table) =>
  table.split("\n").slice(2).filter((_, index, lines) =>
    lines.slice(0, index + 1).every((line) => line.startsWith("|"))
  )
    .map((line) => line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "").trim()))
    .map(([python, ours]) => ({
      python: unquote(python!),
      code: [...ours!.matchAll(/`([^`]+)`/g)].map(([, code]) => code!)
    }))
)

const textOf = (python: string): string => {
  const start = Math.max(...["row", "clusterRow"].map((row) => source.indexOf(`\n${row}(${JSON.stringify(python)}, `)))
  return source.slice(start, source.indexOf("\n})", start))
}

describe("docs/coming-from-python.md", () => {
  test("has the rows that are here, in the same order", () => {
    expect(onPage.map(({ python }) => python)).toEqual([...rows.keys(), ...clusterRows.keys()])
  })

  test.for(onPage)("$python: the code on the page is the code that is run", ({ code, python }) => {
    expect(code).not.toEqual([])
    for (const each of code) expect(flat(textOf(python))).toContain(flat(each))
  })

  // What `dir()` says of them in CPython 3.14, without the names that begin with an underscore.
  test.for([
    "ALL_COMPLETED BrokenExecutor CancelledError FIRST_COMPLETED FIRST_EXCEPTION Future InterpreterPoolExecutor",
    "InvalidStateError ProcessPoolExecutor ThreadPoolExecutor TimeoutError as_completed wait",
    "add_done_callback cancel cancelled done exception result running set_exception set_result",
    "set_running_or_notify_cancel map shutdown submit kill_workers terminate_workers buffersize chunksize timeout",
    "max_workers thread_name_prefix initializer initargs mp_context max_tasks_per_child cancel_futures return_when",
    "Pool ThreadPool apply apply_async close imap imap_unordered join map map_async starmap starmap_async terminate",
    "processes maxtasksperchild context callback error_callback get ready successful next"
  ].flatMap((words) => words.split(" ")))("has a row for %s", (word) => {
    expect(onPage.filter(({ python }) => new RegExp(`(?<!\\w)${word}(?!\\w)`).test(python))).not.toEqual([])
  })

  test("has every word of the tutorial that the examples retell", () => {
    // That of a cluster retells ipyparallel, which has its place in docs/cluster.md.
    const pools = globSync(`${folder}examples/[0-9]*.ts`).filter((file) => !file.endsWith("cluster.ts"))
    const tutorial = pools.flatMap((file) =>
      readFileSync(file, "utf8").split("\n\n")[0]!.split("\n").filter((line) => /^\/\/ (Python:|  )/.test(line))
    )
    const called = tutorial.flatMap((line) =>
      [...line.matchAll(/(?<=\.|\b)(\w+)(?=\()|\b[A-Z]+_[A-Z]+\b/g)].map(([word]) => word)
    )
    // Not of executors: the language, and the functions that the tutorial runs.
    const others = ["who", "print", "range", "time", "square", "fetch_user", "load_words", "EXECUTOR_BACKEND"]
    const words = [...new Set(called)].filter((word) => !others.includes(word))
    expect(words.length).toBeGreaterThan(10)
    expect(words.filter((word) => !onPage.some(({ python }) => new RegExp(`(?<!\\w)${word}(?!\\w)`).test(python))))
      .toEqual([])
  })
})

const own = [...rows].filter(([, check]) => check.length === 0)
const given = [...rows].filter(([, check]) => check.length > 0)

describe.concurrent("coming from Python, with executors of their own", () => {
  test.for(own)("%s", ([, check]) => check(undefined as never))
})

describe.each([ThreadExecutor, ProcessExecutor])("coming from Python to $name", (Backend) => {
  const executor = new Backend({ maxWorkers: 2 })
  afterAll(() => executor.terminate())
  test.for(given)("%s", ([, check]) => check(executor))
})

describe("coming from ipyparallel", () => {
  let cluster: Cluster
  let executor: Executor
  beforeAll(async () => {
    cluster = await Cluster.start({ engines: 2, slots: 1 })
    executor = cluster.executor()
  })
  afterAll(() => cluster.shutdown())
  test.for([...clusterRows])("%s", ([, check]) => check({ cluster, executor }))
})
