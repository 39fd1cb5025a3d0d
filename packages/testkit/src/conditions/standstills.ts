/**
 * Conditions under which somebody stands still for a while: the caller computes, or a process is stopped and continued (Ctrl-Z, a debugger, a laptop that
 * sleeps, `docker pause`). Outcomes and runs are the same as if nothing had stood still.
 */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { readFile } from "node:fs/promises"
import { text } from "node:stream/consumers"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import type { Origin } from "../faults/programs.ts"
import { fileOf } from "../runProgram.ts"
import type { Notebook, Trial } from "../Trial.ts"
import type { OpenLink } from "./links.ts"
import { operations, perform } from "./operations.ts"
import type { Operation, OperationName, Performed } from "./operations.ts"
import { scene, TIMEOUT_MS, verify } from "./scene.ts"

/** A process of a backend, besides the caller and its workers, that can be stopped. */
export interface Party {
  /** The ids of its processes, now. */
  readonly pids: () => ReadonlyArray<number>
  /** How long it stands still when it does so alone (ms), where that differs. */
  readonly standstill?: number | undefined
}

/** What the conditions must know of a backend. */
export interface Ground {
  /** Where a program of its own finds the executor. */
  readonly origin: Origin
  /**
   * How long somebody stands still, in milliseconds: longer than the 500 of the run time-outs and the 400 of `grace`, and than any silence after which the
   * backend takes somebody for dead. Default 1,000.
   */
  readonly standstill?: number | undefined
  /** The same in cells of the deep run (ms). Default: `standstill`. */
  readonly deepStandstill?: number | undefined
  /** Processes that stand between the caller and its workers, by name: `engine`, `broker`. */
  readonly parties?: Readonly<Record<string, Party>> | undefined
  /** Opens a link between the caller and its workers, where there can be one. */
  readonly link?: OpenLink | undefined
  /** Opens a link behind which one of the `parties` works, by its name: `engine`. Its executors use that one only. */
  readonly partyLinks?: Readonly<Record<string, OpenLink>> | undefined
}

/** A row of the grid. */
export interface Standstill {
  /** Says who stands still, as the beginning of a sentence. */
  readonly name: string
  /** Operations for which workers must be processes of their own; those with a time-out where a thread would stand still with its caller. */
  readonly needProcess: ReadonlyArray<OperationName>
  /** Operations that it does not apply to. */
  readonly except: ReadonlyArray<OperationName>
  /** Performs the operation, and lets the condition come while it is under way. */
  readonly run: (trial: Trial, operation: Operation, ground: Ground) => Promise<Performed>
}

const every = operations.map(({ name }) => name)

/** How long somebody stands still by default (ms). */
const STANDSTILL_MS = 1_000

const standstillOf = ({ standstill = STANDSTILL_MS }: Ground): number => standstill

/** Computes: nothing else happens in this process meanwhile. */
const compute = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

/** Where in the event loop the caller begins to compute. */
const places: Readonly<Record<string, (then: () => void) => void>> = {
  "after a timer": (then) => void setTimeout(then, 1),
  "after I/O": (then) => void readFile(fileURLToPath(import.meta.url)).then(then),
  "in setImmediate": (then) => void setImmediate(then)
}

const computing: ReadonlyArray<Standstill> = [
  ...Object.entries(places).map(([place, begin]): Standstill => ({
    name: `The caller computes ${place}`,
    needProcess: [],
    except: [],
    run: async (trial, operation, ground) => {
      const { cue, notebook, stage } = await scene(trial, TIMEOUT_MS)
      const performed = perform(operation, stage, trial.open)
      await Promise.race([cue, performed])
      begin(() => compute(standstillOf(ground)))
      return verify(operation, notebook, await performed)
    }
  })),
  {
    name: "The caller computes after a result",
    needProcess: [],
    except: [],
    run: async (trial, operation, ground) => {
      let results = 0
      const { notebook, stage } = await scene(trial, TIMEOUT_MS, () => {
        if (results++ === 0) compute(standstillOf(ground))
      })
      return verify(operation, notebook, await perform(operation, stage, trial.open))
    }
  }
]

/** Stops processes, and continues them after a while. One that has ended meanwhile is none of them. */
const stopFor = async (pids: ReadonlyArray<number>, ms: number): Promise<void> => {
  const signal = (name: NodeJS.Signals) => {
    for (const pid of pids) {
      try {
        process.kill(pid, name)
      } catch {
        // It has ended.
      }
    }
  }
  signal("SIGSTOP")
  try {
    await sleep(ms)
  } finally {
    signal("SIGCONT")
  }
}

/** Performs the operation in a program of its own, which is stopped with the others when its cue comes. */
const stopped = async (
  trial: Trial,
  operation: Operation,
  ground: Ground,
  timeout: number | undefined,
  others: (notebook: Notebook) => ReadonlyArray<number>
): Promise<Performed> => {
  const { cue, notebook, stage } = await scene(trial, timeout)
  const { module, name } = ground.origin
  const args = [fileOf(new URL("./program.ts", import.meta.url)), module, name, operation.name, JSON.stringify(stage)]
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] })
  const ended = Promise.all([text(child.stdout), text(child.stderr)])
  try {
    await Promise.race([cue, ended])
    await stopFor([child.pid!, ...others(notebook)], standstillOf(ground))
    const [stdout, stderr] = await ended
    assert.ok(stdout.startsWith("{"), `The program printed ${stdout}\n${stderr}`)
    return verify(operation, notebook, JSON.parse(stdout))
  } finally {
    child.kill("SIGKILL")
  }
}

/** The processes in which tasks have noted that they run. */
const workersIn = (notebook: Notebook): ReadonlyArray<number> => [
  ...new Set(notebook.lines().map((line) => Number.parseInt(line)))
]

const stoppedHere = async (
  trial: Trial,
  operation: Operation,
  ground: Ground,
  pids: (notebook: Notebook) => ReadonlyArray<number>
): Promise<Performed> => {
  const { cue, notebook, stage } = await scene(trial, undefined)
  const performed = perform(operation, stage, trial.open)
  await Promise.race([cue, performed])
  await stopFor(pids(notebook), standstillOf(ground))
  return verify(operation, notebook, await performed)
}

/** Standstills of processes. `parties` are the names of those that stand between caller and worker. */
const stopping = (parties: ReadonlyArray<string>): ReadonlyArray<Standstill> => [
  {
    name: "The caller is stopped and continued",
    needProcess: ["timeout", "retry"],
    except: [],
    run: (trial, operation, ground) => stopped(trial, operation, ground, TIMEOUT_MS, () => [])
  },
  {
    name: "A worker is stopped and continued",
    needProcess: every,
    // A worker that is stopped neither cleans up within `grace` nor ends its run in time, and nobody can tell it from one that hangs.
    except: ["interrupt", "timeout"],
    run: (trial, operation, ground) => stoppedHere(trial, operation, ground, workersIn)
  },
  ...parties.map((party): Standstill => ({
    name: `The ${party} is stopped and continued`,
    needProcess: every,
    // The worker cannot say within `grace` that it has stopped.
    except: ["interrupt"],
    run: (trial, operation, ground) => {
      const { pids, standstill = ground.standstill } = ground.parties![party]!
      return stoppedHere(trial, operation, { ...ground, standstill }, pids)
    }
  })),
  {
    name: "All are stopped and continued",
    needProcess: every,
    // A worker that was stopped has run for as long.
    except: ["timeout"],
    run: (trial, operation, ground) =>
      stopped(trial, operation, ground, undefined, (notebook) => [
        ...workersIn(notebook),
        ...Object.values(ground.parties ?? {}).flatMap(({ pids }) => pids())
      ])
  }
]

/** All rows about a standstill. */
export const standstills = (parties: ReadonlyArray<string>): ReadonlyArray<Standstill> => [
  ...computing,
  ...stopping(parties)
]
