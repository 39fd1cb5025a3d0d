/** How a program ends that uses an executor: by itself, in time, and with everything said. */
import assert from "node:assert/strict"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { law, laws } from "../Law.ts"
import type { LawSet } from "../Law.ts"
import { fileOf, runProgram } from "../runProgram.ts"
import type { Ended } from "../runProgram.ts"

/** Where a program finds the executor: the URL of a module, and the name under which it exports the class. */
export interface Origin {
  /** The URL of the module. */
  readonly module: string
  /** The name under which it exports the class. */
  readonly name: string
}

const plain = new URL("./program.ts", import.meta.url)
/** The one whose tasks are in its own file. */
const pools = new URL("./programPools.ts", import.meta.url)

/** A program that has not ended by then, in milliseconds, is ended: the law says that it hung. */
const LIMIT = 14_000

const run = (
  { module, name }: Origin,
  scene: string,
  program: URL = plain,
  execArgv: ReadonlyArray<string> = [],
  { env = {}, rest = [] }: {
    readonly env?: Readonly<Record<string, string>>
    readonly rest?: ReadonlyArray<string>
  } = {}
): Promise<Ended> => runProgram(program, [module, name, scene, ...rest], { limit: LIMIT, execArgv, env })

/** What a file of V8's coverage says that matters here. */
interface Coverage {
  readonly result: ReadonlyArray<{
    readonly url: string
    readonly functions: ReadonlyArray<
      { readonly functionName: string; readonly ranges: ReadonlyArray<{ readonly count: number }> }
    >
  }>
}

/** Whether a file of coverage says that a function was called. */
const hasRun = (text: string, file: string, name: string): boolean =>
  (JSON.parse(text) as Coverage).result.some(({ functions, url }) =>
    url.includes(file) && functions.some(({ functionName, ranges }) => functionName === name && ranges[0]!.count > 0)
  )

const says = async (origin: Origin, scene: string, stdout: string, code = 0, program?: URL): Promise<void> => {
  const ended = await run(origin, scene, program)
  assert.deepEqual(
    { code: ended.code, signal: ended.signal, stdout: ended.stdout },
    { code, signal: null, stdout },
    ended.stderr
  )
}

/** Laws about programs: they need no more than where the executor is. */
export const programs = (origin: Origin): LawSet =>
  laws("programs", [
    law("A program that forgets shutdown() ends with code 0 after its last result", { promises: [15] }, () =>
      says(origin, "forgets", "one\ntwo\nthree\n")),
    law("A program whose workers are always kept ends with code 0", { promises: [15] }, () =>
      says(origin, "keeps workers", "one\n")),
    law("A program that hands nothing in ends with code 0", { promises: [15] }, () =>
      says(origin, "never asks", "0\n")),
    law("A pending future keeps the program alive, though nobody waits for it", { promises: [15] }, () =>
      says(origin, "waits for nobody", "succeeded\n")),
    law("A failure that nobody looks at does not change how the program ends", { promises: [15, 18] }, () =>
      says(origin, "does not look", "")),
    law("A program that exits while calls run ends at once, with its own code", { promises: [16] }, () =>
      says(origin, "exits", "", 5)),
    law("Ctrl-C ends a program while calls run, as it ends any other", { promises: [16] }, async () => {
      const { code, signal, stderr, stdout } = await run(origin, "is interrupted")
      assert.deepEqual({ code, signal, stdout }, { code: null, signal: "SIGINT", stdout: "" }, stderr)
    }),
    law("Workers of a program that ends without shutdown() run finalizers and exit hooks", {
      promises: [14],
      needs: ["workers"]
    }, async () => {
      await says(origin, "leaves workers", "closed\nexited\n")
      await says(origin, "leaves workers and exits", "closed\nexited\n", 5)
      const { code, stderr, stdout } = await run(origin, "leaves workers and throws")
      assert.deepEqual({ code, stdout }, { code: 1, stdout: "closed\nexited\n" }, stderr)
      assert.match(stderr, /RangeError: nothing catches it/)
    }),
    law("A worker that does not exit when its program ends is ended by force, with a warning", {
      promises: [14],
      needs: ["workers"]
    }, async () => {
      for (const [code, rest] of [[0, []], [5, ["exit"]]] as const) {
        const ended = await run(origin, "hangs at exit", plain, [], { rest })
        assert.equal(ended.code, code, ended.stderr)
        assert.match(ended.stderr, /FuturesWarning: Worker \d+ of executor "\w+" did not exit within 100 ms/)
      }
    }),
    law("Workers of a program that ends without shutdown() write their coverage", {
      promises: [14],
      needs: ["workers"]
    }, async () => {
      for (const scene of ["leaves workers", "leaves workers and exits"]) {
        const directory = mkdtempSync(join(tmpdir(), "futures-coverage-"))
        try {
          const ended = await run(origin, scene, plain, [], { env: { NODE_V8_COVERAGE: directory } })
          const files = readdirSync(directory).map((file) =>
            readFileSync(join(directory, file), "utf8")
          )
          const covered = files.filter((text) =>
            hasRun(text, "tasksExit", "writeAtExit")
          )
          assert.equal(covered.length, 1, `${scene}: ${files.length} files, ${ended.stdout}${ended.stderr}`)
        } finally {
          rmSync(directory, { recursive: true })
        }
      }
    }),
    law(
      "After shutdown() no handle is left, and no listener on the process or its streams",
      { promises: [14, 16] },
      () =>
        says(origin, "leaves nothing", "out 0\nnothing\n")
    ),
    law("An executor that is created in the module of its tasks starts nothing in a worker until a task uses it", {
      promises: [9, 17],
      needs: ["workers"]
    }, async () => {
      const ended = await run(origin, "beside its tasks", pools)
      assert.deepEqual([ended.code, ended.stdout], [0, "9\n0\n16\n"], ended.stderr)
      assert.equal(ended.stderr.split("FuturesWarning: ").length, 2, ended.stderr)
      assert.match(ended.stderr, /if \(import\.meta\.main\)/)
    }),
    law("An executor that an initializer creates starts nothing until a task uses it", {
      promises: [9, 17],
      needs: ["workers"]
    }, async () => {
      const ended = await run(origin, "initializer", pools)
      assert.deepEqual([ended.code, ended.stdout], [0, "0\n"], ended.stderr)
    }),
    law("An executor that a module of --import creates starts nothing in a worker", {
      promises: [9],
      needs: ["workers"]
    }, async () => {
      const imported = new URL("./imported.ts", import.meta.url)
      const query = `?module=${encodeURIComponent(origin.module)}&name=${origin.name}`
      const ended = await run(origin, "uses what is imported", plain, [
        "--import",
        `${pathToFileURL(fileOf(imported)).href}${query}`
      ])
      assert.deepEqual([ended.code, ended.stdout], [0, "1 in the program\n0 in a worker\n"], ended.stderr)
    }),
    law("All workers of an executor have the environment of the moment at which it was created", {
      promises: [9],
      needs: ["workers"]
    }, () =>
      says(origin, "changes its environment", "at creation\nat creation\nlater\n")),
    law("All workers of an executor have the working directory of the moment at which it was created", {
      promises: [9],
      needs: ["own process"]
    }, () =>
      says(origin, "changes its directory", "true\ntrue\n/\n")),
    law("Modules of --import and --require are found from the directory in which the executor was created", {
      promises: [9],
      needs: ["workers"]
    }, () =>
      says(origin, "moves away from modules of its flags", "required,imported,bare\nrequired,imported,bare\n")),
    law("A program in one file with its tasks fails with an error that says how to write it, and starts no more", {
      promises: [8, 9],
      needs: ["workers"]
    }, async () => {
      const ended = await run(origin, "one file", pools)
      assert.equal(ended.code, 1)
      assert.equal(ended.stdout, "")
      assert.match(ended.stderr, /TaskNotFoundError: .*if \(import\.meta\.main\)/)
      assert.ok(!ended.stderr.includes("FuturesWarning"), ended.stderr)
    }),
    law("A program in one file that exits when its call is refused says why", {
      promises: [8, 9],
      needs: ["workers"]
    }, () =>
      says(origin, "exits when refused", "TaskNotFoundError: InvalidStateError\n", 1, pools)),
    law("A call fails whose worker opens the servers of the program, because its task is in the same file", {
      promises: [8, 9],
      needs: ["workers"]
    }, async () => {
      const ended = await run(origin, "serves", pools)
      assert.equal(ended.code, 0, ended.stderr)
      assert.match(ended.stdout, /^TaskNotFoundError: .*opened servers or connections.*`if \(import\.meta\.main\)/)
      const taken = await run(origin, "serves a port", pools)
      assert.match(taken.stdout, /^TaskNotFoundError: .*EADDRINUSE.*`if \(import\.meta\.main\)/, taken.stderr)
    }),
    law("A program that keeps a timer in the file of its tasks is warned once that its workers keep it, too", {
      promises: [18],
      needs: ["workers"]
    }, async () => {
      const ended = await run(origin, "keeps a timer", pools)
      assert.deepEqual([ended.code, ended.stdout], [0, "1,4\n"], ended.stderr)
      assert.equal(ended.stderr.split("FuturesWarning: ").length, 2, ended.stderr)
      assert.match(ended.stderr, /opened timers.*`if \(import\.meta\.main\)/)
    }),
    law("A worker that ends because of an uncaught error while it runs no call is reported", {
      promises: [18],
      needs: ["workers"]
    }, async () => {
      const ended = await run(origin, "throws later", pools)
      assert.deepEqual([ended.code, ended.stdout], [0, "9\n"], ended.stderr)
      assert.match(ended.stderr, /ran no call: RangeError: left behind\. It loaded .*`if \(import\.meta\.main\)/)
    }),
    law("What a task wrote is complete before its future settles, also when it exits next", {
      promises: [14],
      needs: ["workers"]
    }, async () => {
      const { code, stderr, stdout } = await run(origin, "listens")
      const written = (lines: number, odd: 0 | 1): string =>
        Array.from({ length: lines }, (_, line) =>
          line).filter((line) =>
            line % 2 === odd
          )
          .map((line) =>
            `${odd === 0 ? "out" : "err"} ${line}\n`
          ).join("")
      const once = [1, 5_000]
      assert.equal(
        stdout,
        [...once, ...once].map((lines) => `${written(lines, 0)}settled\n`).join("")
      )
      assert.equal(
        stderr,
        [...once, ...once].map((lines) => written(lines, 1)).join("")
      )
      assert.equal(code, 0)
    })
  ])
