/** What a law is checked on, and the bench that sets it up and clears it away. */
import type { Executor, ExecutorOptions } from "@futures/core"
import type * as fc from "fast-check"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Law } from "./Law.ts"
import { openSignals } from "./Signals.ts"
import type { Signals } from "./Signals.ts"
import type { Gap, Subject } from "./Subject.ts"

/** What a law is given. Whatever it opens is closed when the law is over, however it ended. */
export interface Trial extends Subject {
  /** Runs two calls at a time. Shared by the laws, which leave it idle. */
  readonly shared: Executor
  /** Runs one call at a time, so that one held call holds up all others. Shared by the laws, which leave it idle. */
  readonly single: Executor
  /** An executor of this law alone. */
  readonly open: (options?: ExecutorOptions) => Executor
  /** How tasks tell this law what they do, and wait for it. One for each law. */
  readonly signals: () => Promise<Signals>
  /** A file that tasks add lines to. */
  readonly notebook: () => Notebook
  /** Settings of fast-check: a seed and a path to replay, more runs. */
  readonly parameters: fc.Parameters<unknown>
}

/** A file of lines: adding one is a single write, so their order is the order in which it happened, in whatever process. */
export interface Notebook {
  /** The file. */
  readonly path: string
  /** Its lines, as they are now. */
  readonly lines: () => Array<string>
}

/** A law that has not answered by then, in milliseconds, is broken. */
const LAW_LIMIT = 15_000
/** How long an executor may take to end after a law. */
const END_LIMIT = 10_000

/** Checks laws on one backend, one law at a time. */
export class Bench {
  readonly #subject: Subject
  readonly #parameters: fc.Parameters<unknown>
  /** Executors that laws share, by how many calls they run at a time; opened when first asked for. */
  readonly #shared = new Map<number, Executor>()
  readonly #directory = mkdtempSync(join(tmpdir(), "futures-laws-"))
  #notebooks = 0

  constructor(subject: Subject, parameters: fc.Parameters<unknown> = {}) {
    this.#subject = subject
    this.#parameters = parameters
  }

  /** The declared gap that excuses the backend from a law. */
  gapOf(law: Law): Gap | undefined {
    return this.#subject.gaps?.find(({ name }) => name === law.name || law.needs.some((need) => need === name))
  }

  /** Rejects when the law is broken, or does not answer. */
  async check(law: Law): Promise<void> {
    const opened: Array<Executor> = []
    let signals: Promise<Signals> | undefined
    const share = (atATime: number): Executor => this.#share(atATime)
    const trial: Trial = {
      ...this.#subject,
      parameters: this.#parameters,
      get shared() {
        return share(2)
      },
      get single() {
        return share(1)
      },
      open: (options) => {
        const executor = new this.#subject.executor(options)
        opened.push(executor)
        return executor
      },
      signals: () => signals ??= openSignals(),
      notebook: () => {
        const path = join(this.#directory, `${++this.#notebooks}.txt`)
        return { path, lines: () => linesOf(path) }
      }
    }
    const broken = await failureOf(within(law.limit ?? LAW_LIMIT, "the law to answer", law.check(trial)))
    // Held tasks end with their signals; then executors have nothing to wait for.
    await (await signals)?.close()
    const busy = [...this.#shared.values()].some((executor) => executor.stats().pending + executor.stats().running > 0)
    if (broken !== undefined || busy) {
      opened.push(...this.#shared.values())
      this.#shared.clear()
    }
    const unended = await failureOf(end(opened))
    if (broken !== undefined) throw withHint(broken.error, law)
    if (unended !== undefined) throw unended.error
  }

  /** Ends the executors that the laws shared. */
  async close(): Promise<void> {
    try {
      await end([...this.#shared.values()])
    } finally {
      this.#shared.clear()
      rmSync(this.#directory, { recursive: true, force: true })
    }
  }

  #share(maxWorkers: number): Executor {
    let executor = this.#shared.get(maxWorkers)
    if (executor === undefined) this.#shared.set(maxWorkers, executor = new this.#subject.executor({ maxWorkers }))
    return executor
  }
}

const end = async (executors: ReadonlyArray<Executor>): Promise<void> => {
  await within(END_LIMIT, "the executors to end", Promise.all(executors.map((executor) => executor.terminate())))
}

/** A law that needs a capability may fail because the backend lacks it: the error says how to declare that. */
const withHint = (error: unknown, { needs }: Law): unknown => {
  if (error instanceof Error && needs.length > 0) {
    const gap = `gaps: [{ name: "${needs[0]}", reason: "..." }]`
    error.message += `\n\nThe law needs: ${needs.join(", ")}. If the backend cannot do this, declare it: ${gap}`
  }
  return error
}

const failureOf = (promise: Promise<unknown>): Promise<{ readonly error: unknown } | undefined> =>
  promise.then(() => undefined, (error: unknown) => ({ error }))

const within = <A>(limit: number, what: string, promise: Promise<A>): Promise<A> => {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${limit} ms for ${what}`)), limit)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

const linesOf = (path: string): Array<string> => {
  try {
    return readFileSync(path, "utf8").split("\n").slice(0, -1)
  } catch (error) {
    // Nobody has written yet.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return []
    throw error
  }
}
