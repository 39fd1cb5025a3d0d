/** The rows: what goes wrong, what a pool ought to make of it, and which of our tests proves that ours does. */
import { statSync } from "node:fs"
import type { FaultName, Kind, OpenOptions, Pool } from "./pools.ts"

/** What a scene does; each call that it makes has a label. */
export interface Stage {
  readonly open: (options?: OpenOptions) => Pool
  /** Makes a call, and tells of its end. Resolves when it has ended, or patience has. */
  readonly call: (label: Label, pool: Pool, name: FaultName, argument?: unknown, signal?: AbortSignal) => Promise<void>
  /** Resolves when the pool has closed, or patience has ended. */
  readonly close: (pool: Pool) => Promise<void>
}

/**
 * - `first`: before anything goes wrong, with a value of its own
 * - `at fault`: the call that goes wrong
 * - `queued`: handed in together with it, and innocent
 * - `later`: handed in when those are over
 */
export type Label = "first" | "at fault" | "queued" | "later"

/** How a call ought to end: with its own value, with an error, or either, as long as it ends. */
type Expected = "value" | "error" | "either"

export interface Scene {
  readonly id: string
  readonly title: string
  /** Where there is such a thing; everywhere by default. */
  readonly kinds?: ReadonlyArray<Kind>
  readonly play: (stage: Stage) => Promise<void>
  readonly expected: Partial<Record<Label, Expected>>
  /** Whether a fault has to run for the scene to mean anything. */
  readonly runs?: boolean
  /** The name of our test, and its file in `packages`. */
  readonly test: readonly [name: string, file: string]
}

const usual: Scene["expected"] = { first: "value", "at fault": "error", queued: "value", later: "value" }

const fault =
  (name: FaultName, argument?: unknown, options?: OpenOptions): Scene["play"] => async ({ call, close, open }) => {
    const pool = open(options)
    await call("first", pool, "echo", 1)
    await Promise.all([call("at fault", pool, name, argument), call("queued", pool, "echo", 2)])
    await call("later", pool, "echo", 3)
    await close(pool)
  }

const notLoaded = (module: "missing" | "throwing"): Scene["play"] => async ({ call, close, open }) => {
  const pool = open({ module })
  await Promise.all([call("at fault", pool, "echo", 1), call("queued", pool, "echo", 2)])
  await call("later", pool, "echo", 3)
  await close(pool)
}
const allFail: Scene["expected"] = { "at fault": "error", queued: "error", later: "error" }

const grid = "testkit/src/faults/grid.ts"
const broken = "testkit/src/faults/broken.ts"
const processes: ReadonlyArray<Kind> = ["process"]
/** Long enough for a call to be on its way. */
const SOON = 300

export const scenes: ReadonlyArray<Scene> = [
  {
    id: "throws",
    title: "A task throws",
    play: fault("throws"),
    expected: usual,
    runs: true,
    test: ["A call that throws while it runs fails alone", grid]
  },
  {
    id: "exits-0",
    title: "A task calls `process.exit(0)`",
    play: fault("exits", 0),
    expected: usual,
    runs: true,
    test: ["A call that exits with 0 while it runs fails alone", grid]
  },
  {
    id: "exits-3",
    title: "A task calls `process.exit(3)`",
    play: fault("exits", 3),
    expected: usual,
    runs: true,
    test: ["A call that exits with 3 while it runs fails alone", grid]
  },
  {
    id: "uncaught",
    title: "An error in a timer of a running task",
    play: fault("throwsInTimer"),
    expected: usual,
    runs: true,
    test: ["An error that nobody catches fails what ran there, with that error as the cause", broken]
  },
  {
    id: "unhandled",
    title: "An unhandled rejection after a task has answered",
    play: async ({ call, close, open }) => {
      const pool = open()
      await call("first", pool, "echo", 1)
      await call("at fault", pool, "rejectsAfterwards", 5)
      await new Promise((resolve) => setTimeout(resolve, SOON))
      await call("later", pool, "echo", 3)
      await close(pool)
    },
    expected: { first: "value", "at fault": "value", later: "value" },
    runs: true,
    test: ["An error after a call has settled does not touch its result, and is told to onWorkerExit", broken]
  },
  {
    id: "aborts",
    title: "A task calls `process.abort()`",
    kinds: processes,
    play: fault("aborts"),
    expected: usual,
    runs: true,
    test: ["A call that aborts while it runs fails alone", grid]
  },
  {
    id: "crashes",
    title: "A segmentation fault",
    kinds: processes,
    play: fault("kills", "SIGSEGV"),
    expected: usual,
    runs: true,
    test: ["A call that crashes while it runs fails alone", grid]
  },
  {
    id: "killed",
    title: "A worker is killed (SIGKILL)",
    kinds: processes,
    play: fault("kills", "SIGKILL"),
    expected: usual,
    runs: true,
    test: ["A call that is killed while it runs fails alone", grid]
  },
  {
    id: "memory",
    title: "A worker runs out of memory",
    play: fault("hoards", undefined, { smallHeap: true }),
    expected: usual,
    runs: true,
    test: ["A call that runs out of memory while it runs fails alone", grid]
  },
  {
    id: "hangs",
    title: "An endless loop is stopped by its caller",
    play: async ({ call, close, open }) => {
      const pool = open()
      await call("first", pool, "echo", 1)
      const controller = new AbortController()
      const atFault = call("at fault", pool, "spins", undefined, controller.signal)
      const queued = call("queued", pool, "echo", 2)
      setTimeout(() => controller.abort(), SOON)
      await Promise.all([atFault, queued])
      await call("later", pool, "echo", 3)
      await close(pool)
    },
    expected: usual,
    runs: true,
    test: ["interrupt() ends the worker of a task that never gives its thread back", "testkit/src/laws/stopping.ts"]
  },
  {
    id: "module-missing",
    title: "The tasks' module is missing",
    play: notLoaded("missing"),
    expected: allFail,
    test: ["A task module that is missing fails its own calls", broken]
  },
  {
    id: "module-throws",
    title: "The tasks' module throws while it loads",
    play: notLoaded("throwing"),
    expected: allFail,
    test: ["A task module that throws while loading fails its own calls", broken]
  },
  {
    id: "start",
    title: "Workers exit before they are ready",
    play: async ({ call, close, open }) => {
      const pool = open({ startsBadly: true })
      await Promise.all([call("at fault", pool, "echo", 1), call("queued", pool, "echo", 2)])
      await call("later", pool, "echo", 3)
      await close(pool)
    },
    expected: allFail,
    test: ["Workers that exit before they are ready break the executor after a few starts", broken]
  },
  {
    id: "argument",
    title: "An argument that cannot be cloned",
    play: fault("echo", { callback: () => 1 }),
    expected: usual,
    test: [
      "An argument that cannot travel fails its own call with NotPortableError, and no other",
      "testkit/src/laws/portability.ts"
    ]
  },
  {
    id: "result",
    title: "A result that cannot be cloned",
    play: fault("answersWithFunction"),
    expected: usual,
    runs: true,
    test: [
      "A result that cannot travel fails its own call with NotPortableError, and no other",
      "testkit/src/laws/portability.ts"
    ]
  },
  {
    id: "close",
    title: "The pool is closed while calls run and wait",
    play: async ({ call, close, open }) => {
      const pool = open()
      await call("first", pool, "echo", 1)
      const calls = [call("at fault", pool, "wait", 500), call("queued", pool, "echo", 2)]
      await Promise.all([...calls, close(pool)])
    },
    // Whether it waits for them or drops them is for each library to say: they end.
    expected: { first: "value", "at fault": "either", queued: "either" },
    test: ["shutdown() waits for everything that was handed in, and lets it run", "testkit/src/laws/ending.ts"]
  },
  {
    id: "closed",
    title: "A call after the pool was closed",
    play: async ({ call, close, open }) => {
      const pool = open()
      await call("first", pool, "echo", 1)
      await close(pool)
      await call("later", pool, "echo", 3)
    },
    expected: { first: "value", later: "error" },
    test: ["After shutdown() every call fails at once with ExecutorShutdownError", "testkit/src/laws/ending.ts"]
  },
  {
    id: "forgets",
    title: "A program that forgets to close the pool",
    play: async ({ call, open }) => {
      await call("first", open(), "echo", 1)
    },
    expected: { first: "value" },
    test: ["A program that forgets shutdown() ends with code 0 after its last result", "testkit/src/faults/programs.ts"]
  },
  {
    id: "parent",
    title: "The program is killed while a worker is in an endless loop",
    kinds: processes,
    play: async ({ call, open }) => {
      const pool = open()
      await call("first", pool, "echo", 1)
      void call("at fault", pool, "spins")
      while (statSync(process.env["FAILURES_RUNS"]!).size === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      process.kill(process.pid, "SIGKILL")
    },
    expected: { first: "value" },
    runs: true,
    test: [
      "When the parent is killed while children %s, all are gone within two seconds (watchdog %s)",
      "process-executor/test/parent.test.ts"
    ]
  }
]
