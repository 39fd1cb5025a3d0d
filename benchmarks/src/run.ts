/** Runs a question: each contender in a process of its own, contenders taking turns inside a round. */
import { spawn, spawnSync } from "node:child_process"
import { mkdirSync } from "node:fs"
import type { Readable } from "node:stream"
import { text } from "node:stream/consumers"
import { setTimeout } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { contenders } from "./contender.ts"
import type { Contender } from "./contender.ts"
import type { Progress } from "./progress.ts"
import type { Question, Size } from "./question.ts"
import { machine } from "./results.ts"
import type { Result, Run } from "./results.ts"

export interface RunOptions {
  readonly rounds: number
  readonly peers: boolean
  readonly quick: boolean
  /** When it should be over, by `performance.now()`: no round begins that would take longer, but for the first. */
  readonly until?: number
  /** Names of contenders; all that belong to the question when empty. */
  readonly only: ReadonlyArray<string>
}

/** Which Python to ask: `FUTURES_PYTHON`, or `python3`. */
const interpreter = process.env["FUTURES_PYTHON"] || "python3"

let found: boolean | undefined
/** Whether it can be compared with at all; says so once where it cannot. */
const hasIpyparallel = (): boolean => {
  if (found !== undefined) return found
  found = spawnSync(interpreter, ["-c", "import ipyparallel"], { stdio: "ignore" }).status === 0
  if (!found) {
    console.error(`${interpreter} has no ipyparallel (apt install python3-ipyparallel, or FUTURES_PYTHON): left out`)
  }
  return found
}

/** Who takes part in a question. */
const participants = (question: Question, { only, peers }: RunOptions): ReadonlyArray<Contender> => {
  const takesPart = ({ kind, name, role }: Contender): boolean => {
    switch (role) {
      case "ours":
        return question.ours.includes(name)
      case "bare":
        return Object.values(question.bare).includes(name)
      case "peer":
        return peers && (question.peers?.includes(name) ?? true)
      case "python":
        return kind === "cluster"
          ? question.python?.includes(name) === true && hasIpyparallel()
          : peers && (question.python?.includes(name) ?? true)
    }
  }
  return contenders.filter((each) => takesPart(each) && (only.length === 0 || only.includes(each.name)))
}

const rounds = (question: Question, options: RunOptions): ReadonlyArray<number> =>
  Array.from({ length: options.rounds + 1 }, (_, round) => round).slice(question.starts === true ? 0 : 1)

/** How many processes that will be. */
export const steps = (questions: ReadonlyArray<Question>, options: RunOptions): number =>
  questions.reduce((sum, each) => sum + participants(each, options).length * rounds(each, options).length, 0)

export const run = async (question: Question, options: RunOptions, progress: Progress): Promise<Result> => {
  const taking = participants(question, options)
  const size = options.quick ? question.quick : question.full
  const before = machine()
  const runs: Array<Run> = []
  /** Who did not come to an end in time is not asked again. */
  const late = new Map<string, string>()
  let longest = 0
  for (const round of rounds(question, options)) {
    const start = performance.now()
    if (round > 1 && start + longest > (options.until ?? Infinity)) {
      progress.skip(taking.length)
      continue
    }
    for (const contender of taking) {
      const { name } = contender
      progress.step(question.id, round === 0 ? "warming up" : `round ${round} of ${options.rounds}`, name)
      const failure = late.get(name)
      const outcome = failure === undefined ? await measure(question, contender, round, size) : { failure }
      if (outcome.failure?.startsWith(LATE) === true) late.set(name, outcome.failure)
      if (round > 0) runs.push({ round, contender: name, ...outcome })
    }
    longest = Math.max(longest, performance.now() - start)
  }
  return { question: question.id, taken: new Date().toISOString(), machine: before, size, runs }
}

const LATE = "no answer in"

const builder = fileURLToPath(new URL("../../tools/build/main.ts", import.meta.url))
let isBuilt = false

/** Ours is measured as it is installed: the exports say, under a condition, where that lies. */
const built = (): string => {
  if (!isBuilt && spawnSync(process.execPath, [builder], { stdio: "inherit" }).status !== 0) process.exit(1)
  isBuilt = true
  return "--conditions=futures-dist"
}

const child = fileURLToPath(new URL("child.ts", import.meta.url))
const cache = fileURLToPath(new URL("../../node_modules/.cache/benchmarks", import.meta.url))
const adapters = fileURLToPath(new URL("../contenders/", import.meta.url))

/** What one contender answered, or why it did not. */
const measure = async (
  question: Question,
  contender: Contender,
  round: number,
  size: Size
): Promise<Pick<Run, "failure" | "metrics">> => {
  const asked = JSON.stringify({ id: question.id, contender, limit: question.limit, round, size })
  const [command, ...args] = contender.role === "python"
    ? [interpreter, adapters + contender.file, asked]
    : [process.execPath, built(), child, asked]
  mkdirSync(cache, { recursive: true })
  const process_ = spawn(command!, args, {
    // A group of its own, so that whatever it leaves behind can be ended with it.
    detached: true,
    // Measurements and tasks are TypeScript here: with the cache nobody pays for that.
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
    stdio: ["ignore", "ignore", "pipe", "pipe"]
  })
  const end = (): void => {
    try {
      if (process_.pid !== undefined) process.kill(-process_.pid, "SIGKILL")
    } catch {
      // It has ended.
    }
  }
  process.on("exit", end)
  const answer = text(process_.stdio[3] as Readable)
  const complaint = text(process_.stderr!)
  const ended = new Promise<number | string>((resolve) =>
    process_.on("error", (error) => resolve(error.message)).on("exit", (code, signal) => resolve(code ?? signal ?? ""))
  )
  const patience = new AbortController()
  const status = await Promise.race([
    ended,
    setTimeout(question.limit * 1000, `${LATE} ${question.limit} s`, { signal: patience.signal })
  ])
  patience.abort()
  end()
  process.off("exit", end)
  if (status === 0) return { metrics: JSON.parse(await answer) as Record<string, number> }
  if (typeof status === "string") return { failure: status }
  const said = (await complaint).split("\n").findLast((line) => /error/i.test(line)) ?? ""
  return { failure: `exit code ${status}: ${said.trim()}`.slice(0, 200) }
}
