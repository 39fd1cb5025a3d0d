/**
 * The fault grid: everything that can go wrong, at every place where code of a user runs in a worker. One law a cell.
 *
 * In each cell the call at fault fails with its own error, its neighbours succeed with their own values, the executor goes on, and it ends.
 */
import {
  BrokenExecutorError,
  NotPortableError,
  Task,
  TaskNotFoundError,
  TaskTimeoutError,
  WorkerLostError
} from "@futures/core"
import type { ExecutorOptions, Future } from "@futures/core"
import assert from "node:assert/strict"
import { failsWith, isError, isIn, rejection } from "../expect.ts"
import { law, laws } from "../Law.ts"
import type { Law, LawSet } from "../Law.ts"
import type { Capability } from "../Subject.ts"
import { identity } from "../tasks.ts"
import type { Trial } from "../Trial.ts"
import type { FaultName } from "./commit.ts"
import { here } from "./loading.ts"
import type * as loading from "./loading.ts"
import { initialize, run, throwing, writing } from "./tasks.ts"
import { reading } from "./tasksDecoding.ts"

/** What happens. */
interface Fault {
  readonly name: FaultName
  readonly needs: ReadonlyArray<Capability>
  /** How a call ends under which it happens; `undefined` where that depends on the place. */
  readonly verify: ((error: unknown, future: Future<unknown, unknown>) => void) | undefined
}

const lost = (fields: Partial<WorkerLostError>): Fault["verify"] => (error, future) => {
  const { workerId } = isError(error, WorkerLostError, { exitCode: undefined, signal: undefined, ...fields })
  assert.equal(workerId, future.info.workerId)
}

/** Milliseconds that a call may run which is to hang. */
const PATIENCE = 300
/** Milliseconds that a worker may take to start, and a module to load, where one hangs as it loads. */
const LOADING = 3_000

const faults: ReadonlyArray<Fault> = [
  { name: "throws", needs: [], verify: undefined },
  { name: "exits with 0", needs: ["workers"], verify: lost({ exitCode: 0, reason: "exit" }) },
  { name: "exits with 3", needs: ["workers"], verify: lost({ exitCode: 3, reason: "exit" }) },
  { name: "aborts", needs: ["own process"], verify: lost({ signal: "SIGABRT", reason: "signal" }) },
  { name: "crashes", needs: ["own process"], verify: lost({ signal: "SIGSEGV", reason: "signal" }) },
  { name: "is killed", needs: ["own process"], verify: lost({ signal: "SIGKILL", reason: "signal" }) },
  {
    name: "runs out of memory",
    needs: ["workers"],
    verify: (error) => {
      // A process says no more than that it was aborted.
      const { reason, signal } = isError(error, WorkerLostError)
      assert.ok(reason === "out-of-memory" || signal === "SIGABRT", `${reason}, ${signal}`)
    }
  },
  {
    name: "hangs",
    needs: ["workers"],
    verify: (error) => {
      const { after, clock } = isError(error, TaskTimeoutError)
      assert.deepEqual(
        { after, clock },
        clock === "load" ? { after: LOADING, clock } : { after: PATIENCE, clock: "run" }
      )
    }
  }
]

/** Where it happens. */
interface Place {
  readonly name: string
  /** The task at fault. */
  readonly task: (fault: FaultName) => Task.Of<(fault: FaultName) => unknown>
  /** How the call ends when what happens is that something is thrown. */
  readonly verifyThrown: (error: unknown) => void
}

const places: ReadonlyArray<Place> = [
  {
    name: "its argument is read",
    task: () => reading,
    verifyThrown: (error) => {
      // Effect wraps what is no issue of the schema.
      if (!(error instanceof RangeError)) assert.notEqual(isError(error, Error).cause, undefined)
      else assert.equal(error.message, "thrown while reading the argument")
    }
  },
  {
    name: "its module is loaded",
    task: (fault) => Task.from<typeof loading>(moduleOf(fault)).run,
    verifyThrown: (error) => {
      const { cause } = isError(error, TaskNotFoundError, { module: moduleOf("throws").href, task: "run" })
      isError(cause, RangeError, { message: "thrown while loading the module" })
    }
  },
  {
    name: "it runs",
    task: () => run,
    verifyThrown: (error) => void isError(error, RangeError, { message: "thrown while running" })
  },
  {
    name: "its result is written",
    task: () => writing,
    verifyThrown: (error) => {
      const { cause } = isError(error, NotPortableError, { side: "result", path: "result.field" })
      isError(cause, RangeError, { message: "thrown while writing the result" })
    }
  },
  {
    name: "its error is written",
    task: () => throwing,
    verifyThrown: (error) => {
      // What can be told of the error is told, and what went wrong stands where the field would.
      const { field } = isError(error, RangeError, { message: "with a field that goes wrong" }) as { field?: unknown }
      assert.match(String(field), /thrown while writing the error/)
    }
  }
]

const moduleOf = (fault: FaultName): URL => {
  const url = new URL(here)
  url.searchParams.set("fault", fault)
  return url
}

const optionsFor = (fault: FaultName, smallHeap: ExecutorOptions): ExecutorOptions => ({
  maxWorkers: 1,
  grace: 50,
  ...fault === "runs out of memory" ? smallHeap : {}
})

const cell = (fault: Fault, place: Place, smallHeap: ExecutorOptions): Law =>
  law(`A call that ${fault.name} while ${place.name} fails alone`, {
    promises: [5, 8],
    needs: fault.needs
  }, async (trial) => {
    const options = optionsFor(fault.name, smallHeap)
    const hangsAsItLoads = fault.name === "hangs" && place.name === "its module is loaded"
    const executor = trial.open(hangsAsItLoads ? { ...options, startTimeout: LOADING } : options)
    const before = executor.submit(identity, "before")
    const task = place.task(fault.name)
    const atFault = executor.submit(fault.name === "hangs" ? Task.with(task, { timeout: PATIENCE }) : task, fault.name)
    const after = ["after", "and after that"].map((value) => executor.submit(identity, value))
    const error = await rejection(atFault.result())
    isIn(atFault, "failed")
    if (fault.verify === undefined) place.verifyThrown(error)
    else fault.verify(error, atFault)
    assert.equal(await before.result(), "before")
    assert.deepEqual(await Promise.all(after.map((future) => future.result())), ["after", "and after that"])
    assert.equal(await executor.run(identity, "later"), "later")
    await executor.shutdown()
    const { strayFrames, failed, pending, running, succeeded, workers } = executor.stats()
    assert.deepEqual({ strayFrames, failed, pending, running, succeeded, workers }, {
      strayFrames: 0,
      failed: 1,
      pending: 0,
      running: 0,
      succeeded: 4,
      workers: 0
    })
  })

/** How often a worker is started at most before it counts as one that cannot start. */
const STARTS = 3

const initializerCell = (fault: Fault, smallHeap: ExecutorOptions): Law =>
  law(`An initializer that ${fault.name} breaks the executor after a few starts`, {
    promises: [9],
    needs: [...new Set<Capability>(["workers", ...fault.needs])]
  }, (trial) => breaks(trial, fault, smallHeap))

const breaks = async (trial: Trial, fault: Fault, smallHeap: ExecutorOptions): Promise<void> => {
  const notebook = trial.notebook()
  const executor = trial.open({
    ...optionsFor(fault.name, smallHeap),
    initializer: [initialize, notebook.path, fault.name],
    ...fault.name === "hangs" ? { startTimeout: 500 } : {}
  })
  const futures = [1, 2, 3].map((value) => executor.submit(identity, value))
  for (const future of futures) {
    const { cause } = await failsWith(future.result(), BrokenExecutorError)
    if (fault.name === "throws") isError(cause, RangeError, { message: "thrown while initializing" })
    else assert.ok(cause instanceof Error)
  }
  const late = executor.submit(identity, 4)
  isIn(late, "failed")
  await failsWith(late.result(), BrokenExecutorError)
  await executor.shutdown()
  assert.equal(executor.stats().workers, 0)
  const starts = notebook.lines().length
  if (fault.name === "throws") assert.equal(starts, STARTS)
  else assert.ok(starts <= STARTS, `${starts} starts`)
}

/** All cells. `smallHeap` are the options that give a worker of this backend so little memory that it runs out of it soon. */
export const faultGrid = (smallHeap: ExecutorOptions): LawSet =>
  laws("faults", [
    ...places.flatMap((place) => faults.map((fault) => cell(fault, place, smallHeap))),
    ...faults.map((fault) => initializerCell(fault, smallHeap))
  ])
